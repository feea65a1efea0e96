import ecspipeline.Parameters
import ecspipeline.RollbackStep

/** Undoes what this build began and did not finish, or what it is told to undo: see ecsRollback.txt. */
Map call(Map parameters = [:]) {
    return new RollbackStep(this).run(parameters)
}

/** Without names a map is not what is given: say it, as the sandbox would only refuse it. */
Map call(Object... given) {
    error(Parameters.unnamed('ecsRollback', given))
}

/** For a `catch`: rolls back what this build began, and leaves the build's result as the exception has set it. */
void after(Exception cause, Map parameters = [:]) {
    new RollbackStep(this).after(cause, parameters)
}
