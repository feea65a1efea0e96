import ecspipeline.Parameters
import ecspipeline.Result
import ecspipeline.State
import ecspipeline.Target
import groovy.transform.Field

@Field static final String LONGEST = '24h'
/** Seconds between two looks whether the gate is decided: the promotion waits for them. */
@Field static final int SLICE = 10

/** Exit codes of a look that close the gate (failed, or no such canary any more), and those that leave it as it is. */
@Field static final List<Integer> CLOSING = [1, 2, 3]
@Field static final List<Integer> LEAVING = [0, 4, 5]

/** The gate between canary and promotion: see ecsApprove.txt. */
Map call(Map parameters = [:]) {
    Map wanted = ecsPipelineRun.accepted('ecsApprove', parameters)
    Map known = adopted(wanted)
    if (wanted.dryRun) {
        echo('ecsApprove: dry run: nobody is asked')
        return [approved: false, release: known.release, approver: null, reason: null]
    }
    if (!known.release) { error('ecsApprove: there is no canary to approve; run ecsCanary first') }
    if (State.gone(known)) { error("ecsApprove: release ${known.release} was rolled back; run ecsCanary again") }
    if (env.WORKSPACE != null) { echo('ecsApprove: this gate holds an executor while it waits; a stage with `agent none` does not') }
    long asked = System.currentTimeMillis()
    try {
        return approved(wanted, known, ask(wanted, known))
    } catch (e) {
        boolean late = System.currentTimeMillis() - asked >= 1000L * limit(wanted)
        ecsPipelineRun.tell(wanted, "${known.release} not approved${late ? ' in time' : ''}")
        // By what this build has adopted, not by `release`: that would undo a promotion, too.
        if (wanted.rollback != false) { ecsRollback.after(e, wanted + [release: null]) }
        throw e
    }
}

/** The release that is asked about. A build that was restarted behind the canary takes it over. */
private Map adopted(Map parameters) {
    Map known = ecsPipelineRun.state(parameters)
    String release = Parameters.text(parameters.release)
    if (release && known.release != release) { known = [stage: 'canary', outcome: State.PASSED, release: release] }
    if (!known.evidence && !parameters.dryRun) {
        Map seen = Result.evidenceOfStatus(ecsPipelineRun('status', parameters))
        if (!known.release || seen.release == known.release) {
            known += [stage: 'canary', outcome: seen.outcome ?: '', release: seen.release ?: '', evidence: seen]
        }
    }
    known += [build: env.BUILD_NUMBER]
    if (known.release && !parameters.dryRun) { ecsPipelineRun.remember(parameters, known) }
    return known
}

private int limit(Map parameters) {
    return Parameters.seconds(parameters.timeLimit ?: LONGEST)
}

/** What `input` returns, as a map; all of it may be missing: an answer by the API names nobody. */
private Map ask(Map parameters, Map known) {
    Map evidence = known.evidence ?: [:]
    echo(Result.lines(evidence + [release: known.release]).join('\n'))
    Map question = questionAbout(parameters, known, evidence)
    int every = Parameters.seconds(parameters.watch)
    def answer = null
    timeout(time: limit(parameters), unit: 'SECONDS') {
        if (every) {
            boolean decided = false
            parallel(failFast: true,
                approval: { try { answer = input(question) } finally { decided = true } },
                watch: {
                    int waited = 0
                    while (!decided) {
                        int slice = Math.min(SLICE, every)
                        sleep(time: slice, unit: 'SECONDS')
                        waited += slice
                        if (!decided && waited >= every) {
                            waited = 0
                            look(parameters, known)
                        }
                    }
                })
        } else {
            answer = input(question)
        }
    }
    return answer instanceof Map ? answer : [APPROVER: answer]
}

/**
 * One look at the canary: what is red or dead closes the gate. What cannot be told does not, as when the agent or the sources
 * are out of reach; an abort ends the other branch as well, so it need not be told apart here.
 */
private void look(Map parameters, Map known) {
    Map result = [:]
    try {
        result = ecsPipelineRun('judge', parameters + [release: known.release], [accept: [0, 1, 2, 3, 4, 5], unpublished: LEAVING])
    } catch (e) {
        echo("ecsApprove: watching: nothing was seen: ${e.message ?: 'interrupted'}")
        return
    }
    int status = result.exit_code
    if (CLOSING.contains(status)) { error(Result.failure('judge', result, status)) }
    echo("ecsApprove: watching: ${result.outcome}${result.message ? ': ' + result.message : ''}")
}

private Map questionAbout(Map parameters, Map known, Map evidence) {
    String message = Parameters.text(parameters.message) ?: "Promote release ${known.release} of ${evidence.cluster}/${evidence.service}?"
    String share = evidence.share == null ? '' : " It takes ${evidence.share} % of the traffic."
    String commit = evidence.commit ? " Commit ${evidence.commit}." : ''
    String report = evidence.reports ? " Report: ${Parameters.text(env.BUILD_URL)}artifact/${evidence.reports}/canary.html" : ''
    Map asked = [
        id: ('Ecs-approve-' + Target.key(parameters)).replaceAll(/[^A-Za-z0-9]+/, '-'), ok: 'Promote', submitterParameter: 'APPROVER',
        message: "${message}${commit}${share} Checks: ${Result.verdicts(evidence)}.${report}".toString(),
    ]
    if (parameters.submitters) {
        asked += [submitter: parameters.submitters instanceof List ? parameters.submitters.join(',') : parameters.submitters.toString()]
    }
    if (inconclusive(known)) {
        asked += [parameters: [string(name: 'REASON', description: 'The checks were inconclusive: why is it good enough?', trim: true)]]
    }
    return asked
}

private Map approved(Map parameters, Map known, Map answer) {
    String by = Parameters.text(answer.APPROVER)
    String reason = Parameters.text(answer.REASON)
    if (inconclusive(known) && !reason) { echo('ecsApprove: the checks were inconclusive, and no reason was given') }
    ecsPipelineRun.remember(parameters, known + [approval: [by: by, reason: reason]])
    ecsPipelineRun.tell(parameters, "${known.release} approved by ${by ?: 'somebody unnamed'}${reason ? ': ' + reason.take(200) : ''}")
    return [approved: true, release: known.release, approver: by ?: null, reason: reason ?: null, evidence: known.evidence]
}

private boolean inconclusive(Map known) {
    return known.outcome == 'inconclusive' || known.evidence?.outcome == 'inconclusive'
}
