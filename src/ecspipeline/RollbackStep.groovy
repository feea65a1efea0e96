package ecspipeline

/** ecsRollback: undoes what this build began and did not finish, or what it is told to undo. */
class RollbackStep implements Serializable {

    private static final long serialVersionUID = 1L

    Object steps
    CommandLine commandLine

    RollbackStep(Object steps) {
        this.steps = steps
        commandLine = new CommandLine(steps)
    }

    Map run(Map parameters) {
        Map wanted = commandLine.accepted('ecsRollback', parameters)
        if (Text.of(parameters.release) || Text.of(parameters.to) || parameters.anyRelease) {
            return undo(wanted, commandLine.memory.ownState(wanted))
        }
        return ofThisBuild(wanted, commandLine.memory.ownState(wanted))
    }

    /**
     * For a `catch`: rolls back what this build began, and leaves the build's result as the exception has set it.
     * A rollback that fails here is told, and the next run resolves it.
     */
    void after(Exception cause, Map parameters) {
        steps.catchError { throw cause }
        try {
            steps.stage('Rollback') { run(Parameters.shared('ecsRollback', parameters)) }
        } catch (e) {
            steps.echo("ecsRollback: not rolled back: ${Text.line(e.message) ?: 'interrupted'}; the next run resolves it".toString())
        }
    }

    /** Never a release of another build, and never one that was promoted to its end. */
    private Map ofThisBuild(Map parameters, Map known) {
        if (!known.stage) { return nothing('this build began no release') }
        if (State.promoted(known)) {
            return nothing("release ${known.release} is promoted and stays; ecsRollback(release: '${known.release}') undoes it")
        }
        if (State.settled(known)) { return nothing("release ${known.release} is gone already") }
        return (Map) commandLine.onAgent('rollback', parameters) {
            String release = known.release ?: liveReleaseOfThisBuild(parameters)
            Map result = release ? undo(parameters + scope(known) + [release: release], known + [release: release]) : nothing('no canary of this build lives')
            // How the last command ended is not known: another release that this build began may be what lives.
            return known.earlier ? ofThisBuild(parameters, (Map) known.earlier) : result
        }
    }

    /** Only the canary, unless a promotion may have begun; and why. */
    private Map scope(Map known) {
        Map only = State.promotionUnderWay(known) ? [:] : [canary: true]
        return only + [why: steps.currentBuild.currentResult == 'NOT_BUILT' ? 'superseded by a newer build' : known.why]
    }

    private Map undo(Map parameters, Map known) {
        Map result = commandLine.run('rollback', parameters)
        String release = Text.of(parameters.release) ?: result.release?.id
        if (known.release == release && !parameters.dryRun) {
            Map now = commandLine.memory.state(parameters)
            commandLine.memory.remember(parameters, known + [names: now.names ?: known.names, linked: now.linked, outcome: State.ROLLED_BACK])
        }
        return Shown.plan(steps, 'ecsRollback', parameters, result)
    }

    /** A canary whose build lost its agent before it could tell the release. */
    private String liveReleaseOfThisBuild(Map parameters) {
        Map canary = commandLine.run('status', parameters).canary ?: [:]
        return canary.build && canary.build == Origin.ofBuild(steps.env.BUILD_URL, steps.env.BUILD_TAG) ? canary.release : ''
    }

    /** Where nothing has failed, nobody expects that nothing is done: say it loudly, but throw nothing into a `catch`. */
    private Map nothing(String why) {
        if (steps.currentBuild.currentResult == 'SUCCESS' && why.startsWith('this build')) {
            steps.unstable("ecsRollback: nothing was rolled back: ${why}. Say what to undo: release:, to:, or anyRelease: true".toString())
        } else {
            steps.echo("ecsRollback: nothing to roll back: ${why}".toString())
        }
        return [stage: 'rollback', outcome: 'passed', exit_code: 0, changed: false, message: "nothing to roll back: ${why}".toString(), release: [:], steps: []]
    }
}
