import ecspipeline.LookStep
import ecspipeline.Parameters

/** A one-off command in a task of the release's revision: see ecsRun.txt. */
Map call(Map parameters = [:]) {
    return new LookStep(this).oneOff(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsRun', given))
}
