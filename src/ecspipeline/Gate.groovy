package ecspipeline

/** ecsApprove: a person says whether the whole service follows the canary. */
class Gate implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String LONGEST = '24h'
    /** Seconds between two looks whether the gate is decided: the promotion waits for them. */
    private static final int SLICE = 10
    /** Exit codes of a look that close the gate (failed, or no such canary any more), and those that leave it as it is. */
    private static final List<Integer> CLOSING = [1, 2, 3]
    private static final List<Integer> LEAVING = [0, 4, 5]

    Object steps
    CommandLine commandLine
    /** True when who calls rolls back by itself what is not approved. */
    boolean rolledBackElsewhere

    Gate(Object steps, boolean rolledBackElsewhere) {
        this.steps = steps
        this.rolledBackElsewhere = rolledBackElsewhere
        commandLine = new CommandLine(steps)
    }

    Map run(Map parameters) {
        Map wanted = commandLine.accepted('ecsApprove', parameters)
        Map known = adopted(wanted)
        if (wanted.dryRun) {
            steps.echo('ecsApprove: dry run: nobody is asked')
            return [approved: false, release: known.release, digest: null, epoch: null, taskDefinition: null, approver: null, comment: null]
        }
        if (!known.release) { steps.error('ecsApprove: there is no canary to approve; run ecsCanary first') }
        if (State.gone(known)) { steps.error("ecsApprove: release ${known.release} was rolled back; run ecsCanary again".toString()) }
        if (steps.env.WORKSPACE != null) { steps.echo('ecsApprove: this gate holds an executor while it waits; a stage with `agent none` does not') }
        long asked = System.currentTimeMillis()
        try {
            return approved(wanted, known, answered(wanted, known))
        } catch (e) {
            notApproved(wanted, known, e, System.currentTimeMillis() - asked >= 1000L * limit(wanted))
            throw e
        }
    }

    /** The release that is asked about. A build that was restarted behind the canary takes it over. */
    private Map adopted(Map parameters) {
        Map known = commandLine.memory.state(parameters)
        String release = Text.of(parameters.release)
        if (release && known.release != release) { known = [stage: 'canary', outcome: State.PASSED, release: release, names: known.names] }
        if (!known.evidence?.digest && !State.gone(known) && !parameters.dryRun) { // what lives is not known, so it is looked at
            Map status = commandLine.run('status', parameters)
            Map seen = Evidence.ofStatus(status)
            if (known.release && seen.release != known.release) {
                steps.error("ecsApprove: no canary of release ${known.release} lives; run ecsCanary first".toString())
            }
            known += [stage: 'canary', outcome: seen.outcome ?: '', release: seen.release ?: '', evidence: seen, names: Result.names(status) ?: known.names]
        }
        known += [build: steps.env.BUILD_NUMBER]
        if (known.release && !parameters.dryRun) { commandLine.memory.remember(parameters, known) }
        return known
    }

    private int limit(Map parameters) {
        return Parameters.seconds(parameters.timeLimit ?: LONGEST)
    }

    /** What the approver said, as a map: an answer by Jenkins' API names nobody and says nothing. */
    private Map answered(Map parameters, Map known) {
        Map evidence = (Map) known.evidence
        Map question = questionAbout(parameters, known, evidence)
        steps.echo("${question.message}\n${question.parameters[0].description}".toString())
        int every = Parameters.seconds(parameters.watch)
        int slice = Math.min(SLICE, every)
        Closure hook = (Closure) parameters.onOpen
        Map answer = [:]
        steps.timeout(time: limit(parameters), unit: 'SECONDS') {
            if (!every && hook == null) {
                answer = asked(parameters, known, question)
            } else {
                boolean decided = false
                Map branches = [failFast: true, approval: { try { answer = asked(parameters, known, question) } finally { decided = true } }]
                if (every) {
                    branches += [watch: {
                        int waited = 0
                        while (!decided) {
                            steps.sleep(time: slice, unit: 'SECONDS')
                            waited += slice
                            if (!decided && waited >= every) {
                                waited = 0
                                look(parameters, known)
                            }
                        }
                    }]
                }
                if (hook != null) { branches += [onOpen: { opened(hook, evidence, question) }] }
                steps.parallel(branches)
            }
        }
        return answer
    }

    /** Asks until the answer is one that counts. */
    private Map asked(Map parameters, Map known, Map question) {
        String description = question.parameters[0].description
        String missing = ''
        while (true) {
            Map field = question.parameters[0] + [description: missing ? "${missing}\n${description}".toString() : description]
            List fields = []
            fields.add(steps.string(field))
            def answer = steps.input(question + [parameters: fields])
            Map said = answer instanceof Map ? (Map) answer : [APPROVER: answer]
            missing = missingIn(parameters, known, said)
            if (!missing) { return said }
            steps.echo("ecsApprove: asked again: ${missing}".toString())
        }
    }

    /** What an answer lacks; '' when it will do. */
    private String missingIn(Map parameters, Map known, Map said) {
        String by = Text.line(said.APPROVER)
        if (inconclusive(known) && !Text.line(said.COMMENT)) { return 'The checks were inconclusive: promoting needs a comment that says why it is good enough.' }
        if (!parameters.fourEyes) { return '' }
        if (!by) { return 'This answer names nobody, and somebody else than who started the build has to give it.' }
        return starters().contains(by.toLowerCase()) ? "${Text.plain(by)} started this build: somebody else has to answer.".toString() : ''
    }

    /** Who started this build; nobody when a timer or a change did. */
    private List<String> starters() {
        List<String> found = []
        for (Object starter in (List) steps.currentBuild.buildCauses) {
            if (starter.userId) { found << starter.userId.toString().toLowerCase() }
        }
        return found
    }

    /** Mail, chat: what goes wrong there never closes the gate. An abort ends the other branch as well. */
    private void opened(Closure hook, Map evidence, Map question) {
        try {
            String report = Evidence.report(evidence, Text.of(steps.env.BUILD_URL))
            hook(evidence + [question: question.message, text: question.parameters[0].description, report: report])
        } catch (e) {
            steps.echo("ecsApprove: onOpen failed, the gate stays open: ${Text.line(e.message) ?: 'interrupted'}".toString())
        }
    }

    /**
     * One look at the canary: what is red or dead closes the gate. What cannot be told does not, as when the agent or the sources
     * are out of reach; an abort ends the other branch as well, so it need not be told apart here.
     */
    private void look(Map parameters, Map known) {
        Map result = [:]
        try {
            result = commandLine.run('judge', parameters + [release: known.release], [accept: LEAVING, returned: CLOSING, unpublished: LEAVING])
        } catch (e) {
            steps.echo("ecsApprove: watching: nothing was seen: ${Text.line(e.message) ?: 'interrupted'}".toString())
            return
        }
        int status = result.exit_code
        if (CLOSING.contains(status)) {
            commandLine.memory.remember(parameters, commandLine.memory.state(parameters) + [why: Result.reason(result)])
            // What to do is not said: by the time this is read the release has been rolled back.
            steps.error(Result.failure('judge', result + [cure: null], status))
        }
        steps.echo("ecsApprove: watching: ${result.outcome}${result.message ? ': ' + Text.line(result.message) : ''}".toString())
    }

    private Map questionAbout(Map parameters, Map known, Map evidence) {
        String message = Text.of(parameters.message) ?: "Promote ${known.release} to ${evidence.cluster}/${evidence.service}?"
        List<String> lines = Evidence.lines(evidence, Text.of(steps.env.BUILD_URL), onAbort(parameters))
        if (inconclusive(known)) { lines.add(0, 'The checks were inconclusive: promoting needs a comment that says why it is good enough.') }
        Map asked = [
            id: ('Ecs-approve-' + Target.key(parameters)).replaceAll(/[^A-Za-z0-9]+/, '-'), ok: 'Promote', submitterParameter: 'APPROVER',
            message: Text.line(message), parameters: [[name: 'COMMENT', description: lines.join('\n'), trim: true]],
        ]
        if (parameters.submitters) {
            asked += [submitter: parameters.submitters instanceof List ? parameters.submitters.join(',') : parameters.submitters.toString()]
        }
        return asked
    }

    private String onAbort(Map parameters) {
        boolean rolledBack = rolledBackElsewhere || parameters.rollback != false
        return rolledBack ? 'the canary is removed, the service stays as it is' : 'the canary stays, and what comes after this step decides'
    }

    private Map approved(Map parameters, Map known, Map answer) {
        String by = Text.line(answer.APPROVER)
        String comment = Text.line(answer.COMMENT)
        Map now = known + [approval: [by: by, comment: comment]]
        commandLine.memory.remember(parameters, now)
        Map shown = (Map) known.evidence
        tell(parameters, now, Result.approval(now) ?: ', approved by somebody unnamed')
        return [
            approved: true, release: known.release, digest: shown.digest, epoch: shown.epoch, taskDefinition: shown.revision ?: null,
            approver: by ?: null, comment: comment ?: null, evidence: shown,
        ]
    }

    private void notApproved(Map parameters, Map known, Exception cause, boolean late) {
        Map now = commandLine.memory.state(parameters)
        String why = now.why ?: (late ? 'not approved in time' : 'not approved')
        commandLine.memory.remember(parameters, now + [why: why])
        tell(parameters, now + [release: known.release], " ${now.why ? 'no longer good: ' : ''}${why}")
        // By what this build has adopted, not by `release`: that would undo a promotion, too.
        if (parameters.rollback != false) { new RollbackStep(steps).after(cause, parameters + [release: null]) }
    }

    private void tell(Map parameters, Map known, String what) {
        String page = Evidence.report((Map) (known.evidence ?: [:]), Text.of(steps.env.BUILD_URL))
        commandLine.memory.tell(parameters, (Map) known.names, "${known.release}${what}".toString(), page)
    }

    private boolean inconclusive(Map known) {
        return known.outcome == 'inconclusive' || known.evidence?.outcome == 'inconclusive'
    }
}
