import ecspipeline.Parameters

/** The whole service follows the canary: see ecsPromote.txt. */
Map call(Map parameters = [:]) {
    ecsPipelineRun.check('ecsPromote', parameters)
    Map known = ecsPipelineRun.state(parameters)
    String release = Parameters.text(parameters.release) ?: known.release ?: Parameters.text(env.ECS_RELEASE)
    Map wanted = parameters + [release: release]
    if (!parameters.approvedBy && known.release == release && known.approval?.by) {
        wanted += [approvedBy: known.approval.by]
    }
    return ecsPipelineRun('promote', wanted)
}
