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
        assert calls('node').size() == 3 && !calls('input')[0].named.isEmpty() && echoes.last() == 'ended passed r1 jane'
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
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: 'known gap'] }
        assert deploy(', approve: false') == 'UNSTABLE' && calls('input').size() == 1 && cli.commands == ['canary', 'promote']
    }
    @Test void aDryRunEndsWithThePlan() {
        assert scripted("echo ecsDeploy(service: 'api', cluster: 'shop', image: 'x:1', dryRun: true).plan.join('/')") == 'SUCCESS'
        assert cli.commands == ['canary'] && !calls('input') && !calls('lock')
        assert echoes.last() == 'image: build it/tasks: run 1 task'
    }
    @Test void locksTheServiceWhereThatIsPossible() {
        deploy()
        assert calls('lock')[0].named.resource == 'ecs:eu-west-1/shop/api'
        List names = h.calls*.name
        assert names.indexOf('lock') > names.indexOf('node') && calls('lock')[0].depth == 0 : 'no agent is held while the lock is waited for'
        newBuild()
        h.steps.remove('lock')
        assert deploy() == 'SUCCESS' && cli.commands == ['canary', 'promote']
        newBuild()
        deploy(', lock: false')
        assert !calls('lock') && !cli.options('status')
        newBuild()
        deploy(", lock: 'database'")
        assert calls('lock')[0].named.resource == 'database' && !cli.options('status')
    }
    /** Two jobs with the same parameters and different configs; one service named in two ways. */
    @Test void theLockNamesTheServiceThatTheConfigNames() {
        List<String> locks = ['batch', 'admin'].collect { String service ->
            newBuild()
            cli.answers.status = { [0, [cluster: 'ops-prd', service: service, region: 'eu-west-1']] }
            assert scripted("ecsDeploy(environment: 'prd')") == 'SUCCESS' : h.failure
            calls('lock')[0].named.resource
        }
        assert locks == ['ecs:eu-west-1/ops-prd/batch', 'ecs:eu-west-1/ops-prd/admin']
    }
    @Test void aServiceThatIsNotThereIsSaidBeforeTheLock() {
        cli.answers.status = { [2, [message: 'no service api in cluster shop', cure: 'create it']] }
        assert deploy() == 'FAILURE' && !calls('lock') && h.failure.message.startsWith('no service api in cluster shop; create it')
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
        assert cli.allOptions('promote')*.release == ['r-api', 'r-jobs'] && calls('input')*.named*.id*.replaceAll(/-\w{5}$/, '') == ['Ecs-approve-api-shop', 'Ecs-approve-jobs-shop']
        assert !cli.options('rollback') : 'one service\'s failure is no other\'s'
    }
    @Test void neverCallsAMilestone() {
        deploy()
        assert !calls('milestone')
    }
}
