import ecspipeline.LookStep
import ecspipeline.Parameters

/** Revisions and images that nothing needs: see ecsPrune.txt. */
Map call(Map parameters = [:]) {
    return new LookStep(this).prune(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsPrune', given))
}
