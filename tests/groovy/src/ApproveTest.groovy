import harness.*
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** The gate: what it shows, who may answer, what every way out of it leaves. */
class ApproveTest extends LibraryTestCase {
    static final String CANARY = "node { ecsCanary(service: 'api', cluster: 'shop') }\n"
    private String gate(String more = '') { scripted("${CANARY}def a = ecsApprove(service: 'api', cluster: 'shop'${more})\necho(\"answer \${a.approver} \${a.reason} \${a.release}\")\nnode { ecsPromote(service: 'api', cluster: 'shop') }") }
    private Map question() { calls('input')[0].named }

    @Test void showsTheEvidence() {
        cli.answers.canary = { [0, [checks: [[name: 'answers', verdict: 'pass', message: '40 of 40'], [name: 'slow', verdict: 'fail', message: 'p95 2 s']]]] }
        assert gate() == 'SUCCESS'
        assert question().message == 'Promote release r1 of shop/api? Commit ab12cd3. It takes 25.0 % of the traffic. Checks: passed (1 passed, slow fail). Report: http://ci/job/shop/7/artifact/ecs-pipeline-reports/api-shop/canary.html'
        assert echoes.contains('release r1 of shop/api\nimage   example.org/api@sha256:abc\ncommit  ab12cd3\nshare   25.0 % of the traffic\nchecks  passed (1 passed, slow fail)\n        answers: pass: 40 of 40\n        slow: fail: p95 2 s')
    }
    @Test void holdsNoExecutor() {
        gate()
        List names = h.calls*.name
        assert names.indexOf('input') > names.indexOf('node') && calls('input')[0].depth == calls('timeout')[0].depth + 1 && calls('timeout')[0].depth == 0
        assert !echoes.any { it.contains('holds an executor') }
        newBuild()
        scripted("node { ecsCanary(service: 'api'); ecsApprove(service: 'api') }")
        assert echoes.any { it.contains('holds an executor') }
    }
    @Test void asksWhoMayAnswerAndForHowLong() {
        gate(", submitters: ['jane', 'ops'], timeLimit: '4h', message: 'Ship it?'")
        assert question().submitter == 'jane,ops' && question().message.startsWith('Ship it? Commit ab12cd3. It takes')
        assert calls('timeout')[0].named == [time: 14400, unit: 'SECONDS']
        newBuild()
        gate(", submitters: 'jane'")
        assert question().submitter == 'jane' && calls('timeout')[0].named.time == 86400
        newBuild()
        gate()
        assert !question().containsKey('submitter') && !question().containsKey('parameters') && question().submitterParameter == 'APPROVER'
    }
    @Test void recordsWhoSaidYes() {
        assert gate() == 'SUCCESS'
        assert echoes.contains('api shop: r1 approved by jane')
        assert cli.options('promote').approved_by == 'jane' && cli.options('promote').release == 'r1'
        assert echoes.contains('answer jane null r1')
    }
    @Test void anAnswerByTheApiNamesNobody() {
        h.steps.input = { StepCall c -> null }
        assert gate() == 'SUCCESS'
        assert !cli.options('promote').containsKey('approved_by') && echoes.contains('answer null null r1')
    }
    @Test void inconclusiveChecksNeedAReason() {
        cli.answers.canary = { [5, [:]] }
        h.steps.input = { StepCall c -> [APPROVER: 'jane', REASON: 'known gap'] }
        assert gate() == 'UNSTABLE'
        assert question().parameters*.name == ['REASON'] && echoes.contains('answer jane known gap r1')
        newBuild()
        cli.answers.canary = { [5, [:]] }
        h.steps.input = { StepCall c -> null }
        assert gate() == 'UNSTABLE' && echoes.any { it.contains('no reason was given') }
    }
    @Test void gatesOfOneBuildHaveIdsOfTheirOwn() {
        scripted("node { ecsCanary(service: 'api'); ecsCanary(service: 'web_2') }; ecsApprove(service: 'api'); ecsApprove(service: 'web_2')")
        assert calls('input')*.named*.id == ['Ecs-approve-api', 'Ecs-approve-web-2']
    }
    @Test void rejectedTimedOutOrAbortedIsRolledBackAndStaysAborted() {
        [{ h.steps.input = { StepCall c -> throw new FlowInterruptedException() } },
         { h.steps.timeout = { StepCall c -> throw new FlowInterruptedException() } }].each { Closure way ->
            newBuild()
            way.call()
            assert gate() == 'ABORTED'
            assert cli.commands == ['canary', 'rollback'] && cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true]
            assert calls('stage')*.first == ['Rollback'] && calls('stage')[0].depth == 0 : 'outside of the timed block'
            assert h.build.description == 'api shop: r1 rolled back'
        }
    }
    @Test void saysWhetherAnybodyAnswered() {
        h.steps.timeout = { StepCall c -> Thread.sleep(1100); throw new FlowInterruptedException() }
        gate(", timeLimit: '1s'")
        assert echoes.contains('api shop: r1 not approved in time')
        newBuild()
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        gate()
        assert echoes.contains('api shop: r1 not approved')
    }
    @Test void aGateAboutANamedReleaseNeverUndoesAPromotion() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert scripted("ecsApprove(service: 'api', cluster: 'shop', release: 'r9')") == 'ABORTED'
        assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r9', canary: true]
    }
    @Test void theCommitIsTheOneThatWasReleased() {
        env().remove('GIT_COMMIT')
        cli.answers.canary = { [0, [commit: 'ee55ff6']] }
        gate()
        assert question().message.contains('Commit ee55ff6.')
        newBuild()
        cli.answers.status = { [0, [canary: [release: 'r0', commit: 'cc33dd4', verdict: 'pass', share: 25.0]]] }
        scripted("ecsApprove(service: 'api', cluster: 'shop')")
        assert question().message.contains('Commit cc33dd4.')
    }
    @Test void supersededIsRolledBackAndNotBuilt() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException('NOT_BUILT') }
        assert gate() == 'NOT_BUILT' && cli.commands == ['canary', 'rollback']
    }
    @Test void aRollbackThatFailsChangesNoResult() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        cli.answers.rollback = { [4, [message: 'throttled']] }
        assert gate() == 'ABORTED'
        assert echoes.any { it.startsWith('ecsRollback: not rolled back: throttled') }
    }
    @Test void theCanaryMayBeLeft() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert gate(', rollback: false') == 'ABORTED' && cli.commands == ['canary']
    }
    @Test void withoutACanaryThereIsNothingToAsk() {
        assert scripted("ecsApprove(service: 'api', cluster: 'shop')") == 'FAILURE'
        assert h.failure.message == 'ecsApprove: there is no canary to approve; run ecsCanary first' && !calls('input')
    }
    @Test void aCanaryOfAnotherBuildIsSeenInAws() {
        cli.answers.status = { [0, [canary: [release: 'r0', image: 'x', share: 25.0, verdict: 'inconclusive']]] }
        h.steps.input = { StepCall c -> 'jane' }
        assert scripted("ecsApprove(service: 'api', cluster: 'shop'); node { ecsPromote(service: 'api', cluster: 'shop') }") == 'SUCCESS'
        assert question().message.startsWith('Promote release r0 of shop/api? It takes 25.0 %') && question().parameters*.name == ['REASON']
        assert cli.options('promote').subMap(['release', 'approved_by']) == [release: 'r0', approved_by: 'jane']
    }
    @Test void aDryRunAsksNobody() {
        assert scripted("ecsApprove(service: 'api', dryRun: true)") == 'SUCCESS' && !calls('input')
    }

    // ---- restart from a stage

    @Test void restartedAtTheGateItKnowsTheReleaseAndRollsItBack() {
        scripted(CANARY)
        restarted()
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert scripted("ecsApprove(service: 'api', cluster: 'shop')") == 'ABORTED'
        assert cli.commands == ['rollback'] && cli.options('rollback').release == 'r1'
    }
    @Test void restartedAtThePromotionItPromotesWhatWasApproved() {
        gate()
        restarted()
        assert scripted("node { ecsPromote(service: 'api', cluster: 'shop') }") == 'SUCCESS'
        assert cli.options('promote').subMap(['release', 'approved_by']) == [release: 'r1', approved_by: 'jane']
    }
    @Test void restartedAfterARollbackItSaysSo() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        gate()
        restarted()
        assert scripted("ecsApprove(service: 'api', cluster: 'shop')") == 'FAILURE'
        assert h.failure.message == 'ecsApprove: release r1 was rolled back; run ecsCanary again'
    }

    @Test void restartedAfterACanaryThatFailedItSaysSo() {
        cli.answers.canary = { [1, [:]] }
        gate()
        restarted()
        assert scripted("ecsApprove(service: 'api', cluster: 'shop')") == 'FAILURE'
        assert h.failure.message == 'ecsApprove: release r1 was rolled back; run ecsCanary again' && !calls('input')
    }

    // ---- watching

    /** Branches side by side: the watch looks first, then the approver answers, as often as `looks` says. */
    private void watched(int looks) {
        int slept = 0
        h.steps.sleep = { StepCall c -> slept += (int) c.named.time; null }
        h.steps.parallel = { StepCall c ->
            int id = h.hold(c.first)
            Throwable red = null
            h.steps.sleep = { StepCall s ->
                slept += (int) s.named.time
                if (slept > looks * 120) { h.runBody((Closure) ((Map) h.held(id)).approval) } // sets `decided`
                null
            }
            try { h.runBody((Closure) ((Map) h.held(id)).watch) } catch (Throwable t) { red = t }
            if (red) {
                h.steps.input = { StepCall s -> throw new FlowInterruptedException() }
                try { h.runBody((Closure) ((Map) h.held(id)).approval) } catch (FlowInterruptedException ignored) { }
                throw red
            }
            null
        }
    }
    @Test void looksAtTheCanaryWhileItWaits() {
        watched(3)
        assert gate(", watch: '2m'") == 'SUCCESS'
        assert cli.commands == ['canary', 'judge', 'judge', 'judge', 'promote'] && cli.allOptions('judge')*.release == ['r1'] * 3
        assert calls('sleep').every { it.named.time <= 10 } && cli.options('promote').approved_by == 'jane'
        assert calls('junit').size() == 2 : 'a look that changes nothing is no test result'
    }
    @Test void aLookHasTheConfigWithTheChecks() {
        watched(1)
        gate(", watch: '2m'")
        assert calls('checkout').size() == 1 && cli.commands == ['canary', 'judge', 'promote'] : 'image and names are given: only the look needs the sources'
    }
    @Test void aCanaryThatDiesOrTurnsRedClosesTheGate() {
        [1, 3].each { int code ->
            newBuild()
            watched(5)
            cli.answers.judge = { [code, [message: 'check answers failed']] }
            assert gate(", watch: '2m'") == 'FAILURE'
            assert h.failure instanceof AbortException && h.failure.message.startsWith('check answers failed')
            assert cli.commands == ['canary', 'judge', 'rollback']
            assert calls('junit').size() == 3
        }
    }
    @Test void aLookWithoutAnAgentOrSourcesLeavesTheGateOpen() {
        [new IOException('agent went offline'), new FlowInterruptedException()].each { Throwable trouble ->
            newBuild()
            watched(2)
            int looks = 0
            cli.answers.judge = { if (!looks++) { throw trouble }; [0, [:]] }
            assert gate(", watch: '2m'") == 'SUCCESS' : trouble
            assert cli.commands == ['canary', 'judge', 'judge', 'promote']
            assert echoes.contains("ecsApprove: watching: nothing was seen: ${trouble.message ?: 'interrupted'}".toString())
        }
    }
    @Test void whatALookCannotTellLeavesTheGateOpen() {
        [4, 5].each { int code ->
            newBuild()
            watched(1)
            cli.answers.judge = { [code, [message: 'throttled']] }
            assert gate(", watch: '2m'") == 'SUCCESS'
            assert echoes.any { it.startsWith('ecsApprove: watching: ') && it.endsWith('throttled') }
        }
    }
}
