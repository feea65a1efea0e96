/** What the service runs, and whether a canary lives: see ecsStatus.txt. */
Map call(Map parameters = [:]) {
    Map status = ecsPipelineRun('status', ecsPipelineRun.accepted('ecsStatus', parameters))
    Map canary = status.canary ?: [:]
    String live = canary ? "canary ${canary.release} takes ${canary.share} %, verdict ${canary.verdict ?: 'none yet'}" : 'no canary'
    String tasks = "${status.tasks?.running} of ${status.tasks?.desired} tasks run"
    echo("${status.cluster}/${status.service}: release ${status.release ?: 'none recorded'}, ${tasks}; ${live}")
    return status
}
