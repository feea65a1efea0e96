import ecspipeline.LookStep
import ecspipeline.Parameters

/** The environment itself, from a CloudFormation template: see ecsProvision.txt. */
Map call(Map parameters = [:]) {
    return new LookStep(this).provision(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsProvision', given))
}
