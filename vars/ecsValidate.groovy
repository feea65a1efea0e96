import ecspipeline.LookStep
import ecspipeline.Parameters

/** All that a release would find in its way, at once: see ecsValidate.txt. */
Map call(Map parameters = [:]) {
    return new LookStep(this).validate(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsValidate', given))
}
