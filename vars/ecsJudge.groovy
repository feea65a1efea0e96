import ecspipeline.LookStep
import ecspipeline.Parameters

/** The checks alone, once, on the live canary: see ecsJudge.txt. */
Map call(Map parameters = [:]) {
    return new LookStep(this).judge(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsJudge', given))
}
