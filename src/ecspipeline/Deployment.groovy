package ecspipeline

/** ecsDeploy: canary, gate and promotion in one call; whatever goes wrong is rolled back. */
class Deployment implements Serializable {

    private static final long serialVersionUID = 1L

    Object steps

    Deployment(Object steps) {
        this.steps = steps
    }

    Map run(Map parameters) {
        new CommandLine(steps).accepted('ecsDeploy', parameters)
        if (parameters.lock == false || parameters.dryRun) { return deploy(parameters) }
        return locked(lockName(parameters)) { deploy(parameters) }
    }

    private Map deploy(Map parameters) {
        Map canary = [:]
        Map approval = [:]
        try {
            steps.stage('Canary') { canary = new CanaryStep(steps).run(Parameters.shared('ecsCanary', parameters)) }
            if (parameters.dryRun) { return canary + [canary: canary, approval: approval] }
            if (parameters.approve != false || canary.outcome == 'inconclusive') {
                Map asked = Parameters.shared('ecsApprove', parameters) + [release: canary.release.id, rollback: false]
                steps.stage('Approve') { approval = new Gate(steps, true).run(asked) }
            }
            Map promotion = [:]
            Map shown = approval ?: [digest: canary.release.digest, epoch: canary.epoch, taskDefinition: Evidence.revision(canary.release.task_definition)]
            Map promoted = Parameters.shared('ecsPromote', parameters) + [
                release: canary.release.id, digest: shown.digest, epoch: shown.epoch, taskDefinition: shown.taskDefinition,
            ]
            steps.stage('Promote') { promotion = new PromoteStep(steps).run(promoted) }
            return promotion + [canary: canary, approval: approval]
        } catch (e) {
            new RollbackStep(steps).after(e, parameters + [release: null])
            throw e
        }
    }

    /** What the caller named, else the service as the command line resolves it: parameters alone may name two services alike, or one in two ways. */
    private String lockName(Map parameters) {
        if (parameters.lock) { return Text.of(parameters.lock) }
        CommandLine commandLine = new CommandLine(steps)
        Map wanted = commandLine.accepted('ecsStatus', Parameters.shared('ecsStatus', parameters))
        Map names = Result.names(commandLine.run('status', wanted)) // an agent of its own for seconds: none is held while the lock is waited for
        return names ? "ecs:${names.region}/${names.cluster}/${names.service}".toString() : 'ecs:' + Target.key(parameters)
    }

    /** One release of a service at a time on this controller, where Lockable Resources is there; AWS holds the real lock. */
    private Map locked(String name, Closure body) {
        boolean entered = false
        try {
            return (Map) steps.lock(resource: name) {
                entered = true
                return body()
            }
        } catch (NoSuchMethodError e) {
            if (entered || !e.message?.contains("'lock'")) { throw e }
            return (Map) body()
        }
    }
}
