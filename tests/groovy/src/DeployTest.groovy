import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** The whole story in one call. */
class DeployTest extends LibraryTestCase {
    private String deploy(String more = '') { scripted("def r = ecsDeploy(service: 'api', cluster: 'shop', image: 'x:1'${more})\necho(\"ended \${r.outcome} \${r.canary?.release?.id} \${r.approval?.approver}\")") }
    private List<String> stages() { calls('stage')*.first }

    @Test void canaryGatePromotion() {
        assert deploy(", submitters: 'ops'") == 'SUCCESS'
        assert cli.commands == ['canary', 'promote'] && stages() == ['Canary', 'Approve', 'Promote']
        assert cli.options('promote').subMap(['release', 'approved_by']) == [release: 'r1', approved_by: 'jane']
        assert calls('node').size() == 2 && !calls('input')[0].named.isEmpty() && echoes.last() == 'ended passed r1 jane'
    }
    @Test void theReleaseMayBeNamed() {
        deploy(", release: 'r9'")
        assert cli.options('canary').release == 'r9' && cli.options('promote').release == 'r9'
    }
    @Test void aFailedCanaryEndsIt() {
        cli.answers.canary = { [1, [message: 'unhealthy']] }
        assert deploy() == 'FAILURE' && cli.commands == ['canary'] && h.failure.message.startsWith('unhealthy')
    }
    @Test void aWrongConfigEndsItBeforeAnythingBegan() {
        cli.answers.canary = { [2, [message: 'no cluster shop', release: [id: '']]] }
        assert deploy() == 'FAILURE' && cli.commands == ['canary'] && h.failure.message.startsWith('no cluster shop')
        assert !unstable && h.build.result == 'FAILURE' : 'the result is known before the rollback looks for something to do'
    }
    @Test void aCanaryInTroubleIsRolledBack() {
        cli.answers.canary = { [4, [message: 'throttled']] }
        assert deploy() == 'FAILURE' && cli.commands == ['canary', 'rollback']
    }
    @Test void whatNobodyApprovesIsRolledBackOnce() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert deploy() == 'ABORTED' && cli.commands == ['canary', 'rollback'] && stages() == ['Canary', 'Approve', 'Rollback']
    }
    @Test void aPromotionThatIsAbortedIsRolledBack() {
        cli.answers.promote = { [143, [:]] }
        assert deploy() == 'ABORTED' && cli.commands == ['canary', 'promote', 'rollback'] && !cli.options('rollback').canary
    }
    @Test void theGateMayBeLeftOutUnlessTheChecksWereInconclusive() {
        assert deploy(', approve: false') == 'SUCCESS' && !calls('input')
        newBuild()
        cli.answers.canary = { [5, [:]] }
        assert deploy(', approve: false') == 'UNSTABLE' && calls('input').size() == 1 && cli.commands == ['canary', 'promote']
    }
    @Test void aDryRunEndsWithThePlan() {
        assert deploy(', dryRun: true') == 'SUCCESS' && cli.commands == ['canary'] && !calls('input')
    }
    @Test void locksTheServiceWhereThatIsPossible() {
        deploy()
        assert calls('lock')[0].named.resource == 'ecs:shop/api'
        newBuild()
        h.steps.remove('lock')
        assert deploy() == 'SUCCESS' && cli.commands == ['canary', 'promote']
        newBuild()
        deploy(', lock: false')
        assert !calls('lock')
    }
    @Test void aMissingStepInsideTheLockIsNoMissingLock() {
        h.steps.remove('junit')
        String result = null
        try { result = deploy() } catch (NoSuchMethodError e) { result = e.message }
        assert cli.commands == ['canary'] : result
        newBuild()
        cli.answers.canary = { throw new NoSuchMethodError("No such DSL method 'lock' found among steps") }
        try { deploy() } catch (NoSuchMethodError ignored) { }
        assert cli.commands == ['canary'] : 'the body is not run twice'
    }
    @Test void severalServicesSideBySide() {
        cli.answers.canary = { Map o -> [o.service == 'web' ? 1 : 0, [release: [id: 'r-' + o.service]]] }
        assert scripted('''parallel(['api', 'web', 'jobs'].collectEntries { s -> [(s): { ecsDeploy(service: s, cluster: 'shop', image: 'x') }] })''') == 'FAILURE'
        assert cli.allOptions('promote')*.release == ['r-api', 'r-jobs'] && calls('input')*.named*.id == ['Ecs-approve-api-shop', 'Ecs-approve-jobs-shop']
        assert !cli.options('rollback') : 'one service\'s failure is no other\'s'
    }
    @Test void neverCallsAMilestone() {
        deploy()
        assert !calls('milestone')
    }
}
