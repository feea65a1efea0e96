import ecspipeline.Deployment
import ecspipeline.Parameters

/** Canary, gate and promotion in one call; whatever goes wrong is rolled back: see ecsDeploy.txt. */
Map call(Map parameters = [:]) {
    return new Deployment(this).run(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsDeploy', given))
}
