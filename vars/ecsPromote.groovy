import ecspipeline.Parameters
import ecspipeline.Target

/** The whole service follows the canary: see ecsPromote.txt. */
Map call(Map parameters = [:]) {
    Map wanted = ecsPipelineRun.accepted('ecsPromote', parameters)
    Map known = ecsPipelineRun.state(wanted)
    String release = Parameters.text(parameters.release) ?: known.release ?: announced(parameters)
    wanted += [release: release]
    if (!parameters.approvedBy && known.release == release && known.approval?.by) {
        wanted += [approvedBy: known.approval.by]
    }
    return ecsPipelineRun('promote', wanted)
}

/** The release of this service, else of the build, by whichever step it was told. */
private String announced(Map parameters) {
    return Parameters.text(env."${'ECS_RELEASE' + Target.suffix(Parameters.text(parameters.service))}") ?: Parameters.text(env.ECS_RELEASE)
}
