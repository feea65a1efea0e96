import ecspipeline.Parameters

/** Canary, gate and promotion in one call; whatever goes wrong is rolled back: see ecsDeploy.txt. */
Map call(Map parameters = [:]) {
    ecsPipelineRun.accepted('ecsDeploy', parameters)
    if (parameters.lock == false) { return deploy(parameters) }
    return locked(parameters) { deploy(parameters) }
}

private Map deploy(Map parameters) {
    Map canary = [:]
    Map approval = [:]
    try {
        stage('Canary') { canary = ecsCanary(Parameters.shared('ecsCanary', parameters)) }
        if (parameters.dryRun) { return [canary: canary, approval: approval, promote: [:]] }
        if (parameters.approve != false || canary.outcome == 'inconclusive') {
            stage('Approve') { approval = ecsApprove(Parameters.shared('ecsApprove', parameters) + [release: canary.release.id, rollback: false]) }
        }
        Map promotion = [:]
        stage('Promote') { promotion = ecsPromote(Parameters.shared('ecsPromote', parameters) + [release: canary.release.id]) }
        return promotion + [canary: canary, approval: approval]
    } catch (e) {
        ecsRollback.after(e, parameters + [release: null])
        throw e
    }
}

/** One release of a service at a time on this controller, where Lockable Resources is there; AWS holds the real lock. */
private Map locked(Map parameters, Closure body) {
    List<String> names = [parameters.cluster, parameters.environment, parameters.service, parameters.region, parameters.config]
        .findAll { it }.collect { it.toString() }
    boolean entered = false
    try {
        return lock(resource: "ecs:${names.join('/')}".toString()) {
            entered = true
            return body()
        }
    } catch (NoSuchMethodError e) {
        if (entered || !e.message?.contains("'lock'")) { throw e }
        return body()
    }
}
