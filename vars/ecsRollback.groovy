import ecspipeline.Origin
import ecspipeline.Parameters
import ecspipeline.State

/** Undoes what this build began and did not finish, or what it is told to undo: see ecsRollback.txt. */
Map call(Map parameters = [:]) {
    Map wanted = ecsPipelineRun.accepted('ecsRollback', parameters)
    if (Parameters.text(parameters.release) || Parameters.text(parameters.to) || parameters.anyRelease) {
        return undo(wanted, ecsPipelineRun.ownState(wanted))
    }
    return ofThisBuild(wanted)
}

/**
 * For a `catch`: rolls back what this build began, and leaves the build's result as the exception has set it.
 * A rollback that fails here is told, and the next run resolves it.
 */
void after(Exception cause, Map parameters) {
    catchError { throw cause }
    try {
        stage('Rollback') { ecsRollback(Parameters.shared('ecsRollback', parameters)) }
    } catch (e) {
        echo("ecsRollback: not rolled back: ${e.message}; the next run resolves it")
    }
}

/** Never a release of another build, and never one that was promoted to its end. */
private Map ofThisBuild(Map parameters) {
    Map known = ecsPipelineRun.ownState(parameters)
    if (!known.stage) { return nothing('this build began no release') }
    if (State.promoted(known)) {
        return nothing("release ${known.release} is promoted and stays; ecsRollback(release: '${known.release}') undoes it")
    }
    if (State.settled(known)) { return nothing("release ${known.release} is gone already") }
    return (Map) ecsPipelineRun.onAgent('rollback', parameters) {
        String release = known.release ?: liveReleaseOfThisBuild(parameters)
        if (!release) { return nothing('no canary of this build lives') }
        Map only = State.promotionUnderWay(known) ? [:] : [canary: true]
        return undo(parameters + [release: release] + only, known + [release: release])
    }
}

private Map undo(Map parameters, Map known) {
    Map result = ecsPipelineRun('rollback', parameters)
    String release = Parameters.text(parameters.release) ?: result.release?.id
    if (known.release == release && !parameters.dryRun) {
        ecsPipelineRun.remember(parameters, known + [outcome: State.ROLLED_BACK])
    }
    return result
}

/** A canary whose build lost its agent before it could tell the release. */
private String liveReleaseOfThisBuild(Map parameters) {
    Map canary = ecsPipelineRun('status', parameters).canary ?: [:]
    return canary.build && canary.build == Origin.ofBuild(env.BUILD_URL, env.BUILD_TAG) ? canary.release : ''
}

/** Where nothing has failed, nobody expects that nothing is done: say it loudly, but throw nothing into a `catch`. */
private Map nothing(String why) {
    if (currentBuild.currentResult == 'SUCCESS' && why.startsWith('this build')) {
        unstable("ecsRollback: nothing was rolled back: ${why}. Say what to undo: release:, to:, or anyRelease: true")
    } else {
        echo("ecsRollback: nothing to roll back: ${why}")
    }
    return [stage: 'rollback', outcome: 'passed', exit_code: 0, message: "nothing to roll back: ${why}".toString(), release: [:], steps: []]
}
