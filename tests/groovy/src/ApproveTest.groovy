import harness.*
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** The gate: what it shows, who may answer, what every way out of it leaves. */
class ApproveTest extends LibraryTestCase {
    static final String CANARY = "node { ecsCanary(service: 'api', cluster: 'shop') }\n"
    private String gate(String more = '') { scripted("${CANARY}def a = ecsApprove(service: 'api', cluster: 'shop'${more})\necho(\"answer \${a.approver} \${a.comment} \${a.release}\")\nnode { ecsPromote(service: 'api', cluster: 'shop') }") }
    private Map question() { calls('input')[0].named }

    private String field() { question().parameters[0].description }

    @Test void showsTheEvidence() {
        cli.answers.canary = { [0, [
            canary: [share: 25.0, since: '2026-11-27T23:58:50Z'],
            checks: [[name: 'answers', verdict: 'pass', message: '40 samples, p95 15 ms, limit 300 ms'], [name: 'slow', verdict: 'inconclusive', message: '']],
            release: [id: 'r1', image: 'example.org/api@sha256:abc', digest: 'sha256:d55c4177db74cc028eaa', task_definition: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/api-prd:42'],
        ]] }
        assert gate() == 'SUCCESS'
        assert question().message == 'Promote r1 to shop/api?' && question().parameters*.name == ['COMMENT']
        assert field() == '''25 % of the traffic since 2026-11-27 23:58 UTC
checks: passed (1 passed, slow inconclusive)
  answers: pass: 40 samples, p95 15 ms, limit 300 ms
  slow: inconclusive
revision api-prd:42, image sha256:d55c4177db74, commit ab12cd3
report: http://ci/job/shop/7/artifact/''' + cli.options('canary').reports + '''/release.html
Promote: the whole service follows. Abort: the canary is removed, the service stays as it is.'''
        assert echoes.contains(question().message + '\n' + field())
    }
    @Test void whatIsShownIsNoMarkup() {
        cli.answers.canary = { [0, [checks: [[name: 'x<b>', verdict: 'fail', message: '<img onerror="y">\nreport: http://evil']]]] }
        gate()
        assert !(field() =~ /[<>"]/) && field().readLines().findAll { it.startsWith('report:') }.size() == 1
    }
    @Test void saysWhatAbortDoes() {
        gate(', rollback: false')
        assert field().endsWith('Abort: the canary stays, and what comes after this step decides.')
        newBuild()
        scripted("ecsDeploy(service: 'api', cluster: 'shop', image: 'x')")
        assert field().endsWith('Abort: the canary is removed, the service stays as it is.')
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
        assert question().submitter == 'jane,ops' && question().message == 'Ship it?'
        assert calls('timeout')[0].named == [time: 14400, unit: 'SECONDS']
        newBuild()
        gate(", submitters: 'jane'")
        assert question().submitter == 'jane' && calls('timeout')[0].named.time == 86400
        newBuild()
        gate()
        assert !question().containsKey('submitter') && question().submitterParameter == 'APPROVER'
    }
    @Test void recordsWhoSaidYesAndWhy() {
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: 'numbers <b> look; good'] }
        assert gate() == 'SUCCESS'
        assert echoes.contains('api shop: r1, approved by jane: numbers <b> look; good')
        assert cli.options('promote').subMap(['approved_by', 'comment', 'release']) == [approved_by: 'jane', comment: 'numbers <b> look; good', release: 'r1']
        assert echoes.contains('answer jane numbers <b> look; good r1')
        assert described == 'api shop: r1 promoted, approved by jane: numbers \u2039b\u203a look, good'
    }
    @Test void anAnswerByTheApiNamesNobody() {
        h.steps.input = { StepCall c -> null }
        assert gate() == 'SUCCESS'
        assert !cli.options('promote').containsKey('approved_by') && echoes.contains('answer null null r1')
        assert described == 'api shop: r1 promoted'
    }
    /** Gives these answers, one after the other. */
    private void answers(Object... all) {
        int at = 0
        h.steps.input = { StepCall c -> all[at++] }
    }
    @Test void inconclusiveChecksNeedAComment() {
        [null, [APPROVER: 'jane', COMMENT: ''], [APPROVER: 'jane', COMMENT: '  '], 'jane'].each { Object empty ->
            newBuild()
            cli.answers.canary = { [5, [:]] }
            answers(empty, empty, [APPROVER: 'jane', COMMENT: 'known gap'])
            assert gate() == 'UNSTABLE' && calls('input').size() == 3
            String wanted = 'The checks were inconclusive: promoting needs a comment that says why it is good enough.'
            assert field().startsWith(wanted + '\n25 % of the traffic') && calls('input')[1].named.parameters[0].description.startsWith(wanted + '\n' + wanted)
            assert echoes.contains('ecsApprove: asked again: ' + wanted) && echoes.contains('answer jane known gap r1')
        }
    }
    @Test void fourEyesAreNotThoseWhoStartedIt() {
        h.build.buildCauses = [[userId: 'Jane', userName: 'Jane Doe'], [shortDescription: 'a change']]
        answers([APPROVER: 'jane', COMMENT: ''], null, [APPROVER: 'ops', COMMENT: ''])
        assert gate(', fourEyes: true') == 'SUCCESS' && cli.options('promote').approved_by == 'ops'
        assert calls('input')[1].named.parameters[0].description.startsWith('jane started this build: somebody else has to answer.\n25 %')
        assert calls('input')[2].named.parameters[0].description.startsWith('This answer names nobody')
        newBuild()
        h.build.buildCauses = [[shortDescription: 'a timer']]
        assert gate(', fourEyes: true') == 'SUCCESS' && cli.options('promote').approved_by == 'jane'
        newBuild()
        h.build.buildCauses = [[userId: 'jane']]
        assert gate() == 'SUCCESS' : 'only when it is asked for'
    }
    @Test void somebodyIsToldThatItOpened() {
        assert gate(', onOpen: { e -> echo("mail: ${e.question} ${e.report} ${e.release} ${e.share}") }') == 'SUCCESS'
        assert echoes.contains("mail: Promote r1 to shop/api? http://ci/job/shop/7/artifact/${cli.options('canary').reports}/release.html r1 25.0".toString())
        newBuild()
        scripted("ecsDeploy(service: 'api', cluster: 'shop', image: 'x', onOpen: { echo 'mail' })")
        assert echoes.contains('mail')
    }
    @Test void whatGoesWrongThereNeverClosesTheGate() {
        ["error('no mail server')", 'throw new Exception("x")', 'sleep(time: 1, unit: "SECONDS")'].each {
            newBuild()
            h.steps.sleep = { StepCall c -> throw new FlowInterruptedException() }
            assert gate(", onOpen: { ${it} }") == 'SUCCESS' : it
            assert echoes.any { said -> said.startsWith('ecsApprove: onOpen failed, the gate stays open: ') }
        }
    }
    @Test void gatesOfOneBuildHaveIdsOfTheirOwn() {
        scripted("node { ecsCanary(service: 'api'); ecsCanary(service: 'web_2') }; ecsApprove(service: 'api'); ecsApprove(service: 'web_2')")
        assert calls('input')*.named*.id*.replaceAll(/-\w{5}$/, '') == ['Ecs-approve-api', 'Ecs-approve-web-2']
    }
    @Test void rejectedTimedOutOrAbortedIsRolledBackAndStaysAborted() {
        [{ h.steps.input = { StepCall c -> throw new FlowInterruptedException() } },
         { h.steps.timeout = { StepCall c -> throw new FlowInterruptedException() } }].each { Closure way ->
            newBuild()
            way.call()
            assert gate() == 'ABORTED'
            assert cli.commands == ['canary', 'rollback'] && cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true]
            assert calls('stage')*.first == ['Rollback'] && calls('stage')[0].depth == 0 : 'outside of the timed block'
            assert described == 'api shop: r1 rolled back (not approved)'
        }
    }
    @Test void saysWhetherAnybodyAnswered() {
        h.steps.timeout = { StepCall c -> Thread.sleep(1100); throw new FlowInterruptedException() }
        gate(", timeLimit: '1s'")
        assert echoes.contains('api shop: r1 not approved in time') && described == 'api shop: r1 rolled back (not approved in time)'
        newBuild()
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        gate()
        assert echoes.contains('api shop: r1 not approved')
    }
    @Test void aGateAboutANamedReleaseNeverUndoesAPromotion() {
        cli.answers.status = { [0, [canary: [release: 'r9', digest: 'sha256:abc', verdict: 'pass']]] }
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert scripted("ecsApprove(service: 'api', cluster: 'shop', release: 'r9')") == 'ABORTED'
        assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r9', canary: true]
    }
    @Test void theCommitIsTheOneThatWasReleased() {
        env().remove('GIT_COMMIT')
        cli.answers.canary = { [0, [commit: 'ee55ff6']] }
        gate()
        assert field().contains(', commit ee55ff6\n')
        newBuild()
        cli.answers.status = { [0, [canary: [release: 'r0', commit: 'cc33dd4', verdict: 'pass', share: 25.0, since: '2026-11-27T12:04:59Z', image: 'x@sha256:0123456789abcdef', digest: 'sha256:0123456789abcdef', task_definition: 'api:7']]] }
        scripted("ecsApprove(service: 'api', cluster: 'shop')")
        assert field().startsWith('25 % of the traffic since 2026-11-27 12:04 UTC\nchecks: passed\nrevision api:7, image sha256:0123456789ab, commit cc33dd4\nPromote: ')
    }
    @Test void supersededIsRolledBackAndNotBuilt() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException('NOT_BUILT') }
        assert gate() == 'NOT_BUILT' && cli.commands == ['canary', 'rollback']
        assert described == 'api shop: r1 rolled back (superseded by a newer build)'
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
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: 'fine'] }
        assert scripted("ecsApprove(service: 'api', cluster: 'shop'); node { ecsPromote(service: 'api', cluster: 'shop') }") == 'SUCCESS'
        assert question().message == 'Promote r0 to shop/api?' && field().startsWith('The checks were inconclusive')
        assert cli.options('promote').subMap(['release', 'approved_by']) == [release: 'r0', approved_by: 'jane']
    }
    @Test void aDryRunAsksNobody() {
        assert scripted("ecsApprove(service: 'api', dryRun: true)") == 'SUCCESS' && !calls('input')
    }

    // ---- what was approved is what is promoted

    static final List<String> SHOWN = ['release', 'digest', 'epoch', 'task_definition']
    static final String PROMOTE = "node { ecsPromote(service: 'api', cluster: 'shop') }"
    /** Stands for the command line's own refusal: another image under the release's id, or a rollback since. */
    private void lives(String digest, String epoch) {
        cli.answers.promote = { Map o ->
            o.digest == digest && o.epoch == epoch ? [0, [:]] : [3, [failed_step: 'preflight', message: "release r1 of shop/api is image ${digest} now, not ${o.digest}, which was approved".toString()]]
        }
    }
    @Test void thePromotionIsOfTheImageThatWasShown() {
        String arn = 'arn:aws:ecs:eu-west-1:123456789012:task-definition/api:42'
        cli.answers.canary = { [0, [epoch: 'e1', release: [id: 'r1', digest: 'sha256:one', task_definition: arn]]] }
        lives('sha256:one', 'e1')
        scripted("${CANARY}def a = ecsApprove(service: 'api', cluster: 'shop')\necho(\"shown \${a.digest} \${a.epoch} \${a.taskDefinition}\")\n${PROMOTE}")
        assert h.failure == null && echoes.contains('shown sha256:one e1 api:42')
        assert cli.options('promote').subMap(SHOWN) == [release: 'r1', digest: 'sha256:one', epoch: 'e1', task_definition: 'api:42']
        newBuild()
        cli.answers.canary = { [0, [epoch: 'e1', release: [id: 'r1', digest: 'sha256:one', task_definition: arn]]] }
        scripted("ecsDeploy(service: 'api', cluster: 'shop', image: 'x', approve: false)")
        assert h.failure == null && cli.options('promote').subMap(SHOWN) == [release: 'r1', digest: 'sha256:one', epoch: 'e1', task_definition: 'api:42']
        newBuild()
        cli.answers.canary = { [0, [epoch: 'e1', release: [id: 'r1', digest: 'sha256:one', task_definition: arn]]] }
        scripted("${CANARY}ecsApprove(service: 'api', cluster: 'shop')\n${PROMOTE}")
        restarted()
        lives('sha256:one', 'e1')
        assert scripted(PROMOTE) == 'SUCCESS'
    }
    @Test void aCanaryThatWasReplacedSinceIsRefused() {
        cli.answers.canary = { [0, [epoch: 'e1', release: [id: 'r1', digest: 'sha256:one']]] }
        lives('sha256:two', 'e1')
        String why = 'preflight: release r1 of shop/api is image sha256:two now, not sha256:one, which was approved'
        assert gate() == 'FAILURE' && h.failure.message.startsWith(why)
        assert described == "api shop: r1 not promoted: ${why}"
        newBuild()
        cli.answers.canary = { [0, [epoch: 'e1', release: [id: 'r1', digest: 'sha256:one']]] }
        lives('sha256:one', 'e2')
        assert scripted("ecsDeploy(service: 'api', cluster: 'shop', image: 'x', approve: false)") == 'FAILURE'
        assert cli.commands == ['canary', 'promote', 'rollback'] && cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true]
        assert described == "api shop: r1 rolled back (${why.replace('two', 'one')})"
    }
    @Test void ofACanaryOfAnotherBuildTheStatusIsBinding() {
        cli.answers.status = { [0, [canary: [release: 'r0', image: 'x@sha256:two', digest: 'sha256:two', epoch: 'e2', task_definition: 'x/api:7', share: 25.0, verdict: 'pass']]] }
        assert scripted("ecsApprove(service: 'api', cluster: 'shop'); ${PROMOTE}") == 'SUCCESS'
        assert cli.options('promote').subMap(SHOWN) == [release: 'r0', digest: 'sha256:two', epoch: 'e2', task_definition: 'api:7']
    }
    @Test void whatWasShownOfOneReleaseBindsNoOther() {
        assert scripted("${CANARY}node { ecsPromote(service: 'api', cluster: 'shop', release: 'r9') }") == 'SUCCESS'
        assert !SHOWN.tail().any { cli.options('promote').containsKey(it) }
        newBuild()
        String shown = "digest: 'sha256:three', epoch: 'e3', taskDefinition: 'api:9'"
        assert scripted("${CANARY}node { ecsPromote(service: 'api', cluster: 'shop', ${shown}) }") == 'SUCCESS'
        assert cli.options('promote').subMap(SHOWN.tail()) == [digest: 'sha256:three', epoch: 'e3', task_definition: 'api:9'] : 'of a gate in another job'
    }
    @Test void nobodyIsAskedAboutWhatDoesNotLive() {
        assert scripted("ecsApprove(service: 'api', cluster: 'shop', release: 'r9')") == 'FAILURE'
        assert h.failure.message == 'ecsApprove: no canary of release r9 lives; run ecsCanary first' && !calls('input')
        newBuild()
        cli.answers.canary = { [4, null] }
        assert scripted("try { ${CANARY} } catch (e) { }\necsApprove(service: 'api', cluster: 'shop')") == 'FAILURE' && !calls('input')
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

    @Test void aSecondCanaryIsNeitherApprovedNorBlamedForTheFirst() {
        scripted("${CANARY}ecsApprove(service: 'api', cluster: 'shop'); ${CANARY} node { ecsPromote(service: 'api', cluster: 'shop') }")
        assert cli.options('promote').release == 'r1' && !cli.options('promote').approved_by
        newBuild()
        int attempts = 0
        cli.answers.canary = { [attempts++ ? 0 : 4, [:]] }
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        scripted("try { ${CANARY} } catch (e) { ${CANARY} }\necsApprove(service: 'api', cluster: 'shop')")
        assert described == 'api shop: r1 rolled back (not approved)'
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
            assert h.failure instanceof AbortException && h.failure.message == "check answers failed (ecs-pipeline judge, exit ${code})" : 'what to do has been done'
            assert described == 'api shop: r1 rolled back (check answers failed)'
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
