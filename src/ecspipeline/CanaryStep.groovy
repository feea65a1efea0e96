package ecspipeline

/** ecsCanary: a new release takes part of the traffic, and is watched. */
class CanaryStep implements Serializable {

    private static final long serialVersionUID = 1L

    Object steps
    CommandLine commandLine

    CanaryStep(Object steps) {
        this.steps = steps
        commandLine = new CommandLine(steps)
    }

    Map run(Map parameters) {
        Map wanted = resumed(commandLine.accepted('ecsCanary', parameters))
        Map result = (Map) commandLine.onAgent('canary', wanted) {
            // What it finds ends the build before anything has begun.
            if (parameters.validate) { commandLine.run('validate', wanted) }
            return canary(wanted)
        }
        return Shown.plan(steps, 'ecsCanary', wanted, result)
    }

    private Map canary(Map parameters) {
        Map options = [returned: [Result.REFUSED], unpublished: [Result.REFUSED]]
        Map result = commandLine.run('canary', parameters, options)
        if (result.exit_code != Result.REFUSED) { return result }
        Map orphan = orphanOf(parameters, (Map) (result.holder ?: [:]))
        if (orphan) {
            steps.echo(Text.line("ecsCanary: release ${orphan.release} was left by ${orphan.build}, which has ended: it is rolled back first"))
            return commandLine.run('canary', parameters + [replace: true])
        }
        commandLine.publish('canary', parameters, result, Result.REFUSED, [:])
        steps.error(Result.failure('canary', result, Result.REFUSED))
    }

    /** A second attempt in one build goes on with the release of the first. */
    private Map resumed(Map parameters) {
        Map known = commandLine.memory.ownState(parameters)
        if (Text.of(parameters.release) || !known.release || State.promoted(known) || State.rolledBack(known)) { return parameters }
        steps.echo("ecsCanary: going on with release ${known.release} of this build".toString())
        return parameters + [release: known.release]
    }

    /** The canary that holds the service, when an ended earlier build of this job left it; empty otherwise. */
    private Map orphanOf(Map parameters, Map holder) {
        if (parameters.dryRun) { return [:] }
        int number = Origin.number(Text.of(holder.build), steps.env.JOB_URL, steps.env.BUILD_TAG, steps.env.BUILD_NUMBER)
        return hasEnded(number) ? holder : [:]
    }

    /** Whether an earlier build is over, or no longer kept. One that is unstable may be waiting at its gate. */
    private boolean hasEnded(int number) {
        if (number < 1 || number >= steps.currentBuild.number) { return false }
        def build = steps.currentBuild.previousBuild
        while (build != null && build.number > number) { build = build.previousBuild }
        return build == null || build.number < number || ['SUCCESS', 'FAILURE', 'ABORTED', 'NOT_BUILT'].contains(build.result)
    }
}
