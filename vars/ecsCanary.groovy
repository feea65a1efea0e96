import ecspipeline.CanaryStep
import ecspipeline.Parameters

/** A new release takes part of the traffic, and is watched: see ecsCanary.txt. */
Map call(Map parameters = [:]) {
    return new CanaryStep(this).run(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsCanary', given))
}
