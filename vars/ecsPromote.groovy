import ecspipeline.Parameters
import ecspipeline.PromoteStep

/** The whole service follows the canary: see ecsPromote.txt. */
Map call(Map parameters = [:]) {
    return new PromoteStep(this).run(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsPromote', given))
}
