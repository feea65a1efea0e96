import ecspipeline.Gate
import ecspipeline.Parameters

/** The gate between canary and promotion: see ecsApprove.txt. */
Map call(Map parameters = [:]) {
    return new Gate(this, false).run(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsApprove', given))
}
