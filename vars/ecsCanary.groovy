import ecspipeline.Origin
import ecspipeline.Parameters
import ecspipeline.Result
import ecspipeline.State

/** A new release takes part of the traffic, and is watched: see ecsCanary.txt. */
Map call(Map parameters = [:]) {
    Map wanted = resumed(ecsPipelineRun.accepted('ecsCanary', parameters))
    return (Map) ecsPipelineRun.onAgent('canary', wanted) { canary(wanted) }
}

private Map canary(Map parameters) {
    Map result = ecsPipelineRun('canary', parameters, [accept: [Result.REFUSED], unpublished: [Result.REFUSED]])
    if (result.exit_code != Result.REFUSED) { return result }
    Map orphan = orphanOf(parameters, result)
    if (orphan) {
        echo("ecsCanary: release ${orphan.release} was left by ${orphan.build}, which has ended: it is rolled back first")
        return ecsPipelineRun('canary', parameters + [replace: true])
    }
    ecsPipelineRun.publish('canary', parameters)
    error(Result.failure('canary', result, Result.REFUSED))
}

/** A second attempt in one build goes on with the release of the first. */
private Map resumed(Map parameters) {
    Map known = ecsPipelineRun.ownState(parameters)
    if (Parameters.text(parameters.release) || !known.release || State.promoted(known) || State.rolledBack(known)) { return parameters }
    echo("ecsCanary: going on with release ${known.release} of this build")
    return parameters + [release: known.release]
}

/** The canary that holds the service, when an ended earlier build of this job left it; empty otherwise. */
private Map orphanOf(Map parameters, Map result) {
    if (parameters.dryRun || !result.message?.contains(', build ')) { return [:] }
    Map live = ecsPipelineRun('status', parameters).canary ?: [:]
    return ended(Origin.number(Parameters.text(live.build), env.JOB_URL, env.BUILD_TAG, env.BUILD_NUMBER)) ? live : [:]
}

/** Whether an earlier build is over, or no longer kept. One that is unstable may be waiting at its gate. */
private boolean ended(int number) {
    if (number < 1 || number >= currentBuild.number) { return false }
    def build = currentBuild.previousBuild
    while (build != null && build.number > number) { build = build.previousBuild }
    return build == null || build.number < number || ['SUCCESS', 'FAILURE', 'ABORTED', 'NOT_BUILT'].contains(build.result)
}
