import ecspipeline.LookStep
import ecspipeline.Parameters

/** What the service runs, and whether a canary lives: see ecsStatus.txt. */
Map call(Map parameters = [:]) {
    return new LookStep(this).status(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsStatus', given))
}
