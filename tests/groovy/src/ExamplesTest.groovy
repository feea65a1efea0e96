import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** Every Jenkinsfile that the documentation shows, approved and rejected. */
class ExamplesTest extends LibraryTestCase {
    static final List<String> SHOWN = new File('docs/examples').list().findAll { it.startsWith('Jenkinsfile') }.sort()

    private String run(String name) {
        h.variables.params.putAll([TAG: '1.2', IMAGE: 'example.org/api:1.2'])
        h.variables.POD_LABEL = 'pod'
        h.variables.env.JOB_BASE_NAME = 'basket'
        h.steps.mail = { StepCall c -> null }
        h.steps.build = { StepCall c -> null }
        return new Declarative(h).build(new File("docs/examples/${name}"))
    }
    /** Those of one service that is deployed, with a gate. */
    private static final List<String> OF_ONE_SERVICE = SHOWN - ['matrix', 'monorepo', 'nightly'].collect { 'Jenkinsfile.' + it }

    private void reject() { h.steps.input = { StepCall c -> throw new FlowInterruptedException() } }

    @Test void allAreListedAndTested() {
        assert SHOWN == ['docker', 'image', 'kubernetes', 'matrix', 'monorepo', 'monorepo-service', 'nightly', 'scripted'].collect { 'Jenkinsfile.' + it }
        String index = new File('docs/examples/README.md').text
        SHOWN.each { assert index.contains("(${it})") }
    }
    @Test void allEndWellWhenApproved() {
        OF_ONE_SERVICE.each {
            newBuild()
            assert run(it) == 'SUCCESS' : "${it}: ${h.failure}"
            assert cli.commands == ['canary', 'promote'] : it
            assert cli.options('promote').approved_by == 'jane' && calls('input')[0].depth < 8 : it
        }
    }
    @Test void allRollBackOnceWhenRejected() {
        OF_ONE_SERVICE.each {
            newBuild()
            reject()
            assert run(it) == 'ABORTED' : "${it}: ${h.failure}"
            assert cli.commands == ['canary', 'rollback'] : it
            assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true] : it
        }
    }
    @Test void noneHoldsAnAgentAtItsGate() {
        (OF_ONE_SERVICE + 'Jenkinsfile.matrix').each {
            newBuild()
            run(it)
            assert calls('input') && !echoes.any { said -> said.contains('holds an executor') } : it
        }
    }
    @Test void theMatrixKeepsServicesAndRegionsApart() {
        cli.answers.canary = { Map o -> o.region == 'eu-west-1' && o.service == 'web' ? [1, [message: 'unhealthy']] : [0, [release: [id: "${o.service}-${o.region}".toString()]]] }
        assert run('Jenkinsfile.matrix') == 'FAILURE'
        assert cli.allOptions('promote')*.release == ['api-eu-west-1', 'api-ap-northeast-1', 'web-ap-northeast-1']
        assert cli.allOptions('canary')*.image.every { it ==~ /123456789012\.dkr\.ecr\.\S+\.amazonaws\.com\/(api|web):1\.2/ }
        assert calls('input')*.named*.id*.replaceAll(/-\w{5}$/, '') as Set == ['Ecs-approve-api-shop-prd-eu-west-1', 'Ecs-approve-api-shop-prd-ap-northeast-1', 'Ecs-approve-web-shop-prd-ap-northeast-1'] as Set
    }
    @Test void aSmokeTestThatFailsLeavesThePromotion() {
        h.steps.sh = { StepCall c ->
            if (c.first == './smoke-test.sh') { throw new hudson.AbortException('script returned exit code 1') }
            cli.run(c)
        }
        assert run('Jenkinsfile.image') == 'FAILURE'
        assert cli.commands == ['canary', 'promote']
        assert cli.options('canary').image == 'registry.example.com/api:ab12cd3'
    }
    private List<String> started(String changed) {
        newBuild()
        if (changed != null) { env().GIT_PREVIOUS_SUCCESSFUL_COMMIT = 'ab12cd3' }
        h.steps.sh = { StepCall c -> c.named.returnStdout && c.named.script.startsWith('git diff') ? changed : cli.run(c) }
        assert run('Jenkinsfile.monorepo') == 'SUCCESS' : h.failure
        assert calls('build').every { it.named.wait == false }
        return calls('build')*.named*.job*.toString()
    }
    @Test void aMonorepoStartsTheJobsOfWhatChanged() {
        assert started('services/basket/app.py\nservices/web/Dockerfile\nREADME.md\n') == ['shop/basket', 'shop/web']
        assert started('README.md\n') == []
        assert started('shared/money.py\n').size() == 12 && started(null).size() == 12
        assert started('services/webhook/app.py\n') == [] : 'a folder that only begins alike'
    }
    @Test void aServiceOfAMonorepoAsksByMail() {
        assert run('Jenkinsfile.monorepo-service') == 'SUCCESS' : h.failure
        assert cli.options('canary').config == 'services/basket/ecs-pipeline.yml'
        assert calls('mail')*.named*.subject*.toString() == ['Your approval is needed: Promote r1 to shop/api?']
        assert calls('mail')[0].named.body.toString().endsWith('Answer here: http://ci/job/shop/7/input')
    }
    @Test void theNightlyLookTellsOfForgottenCanaries() {
        assert run('Jenkinsfile.nightly') == 'SUCCESS' && !calls('mail')
        newBuild()
        cli.answers.status = { [5, [services: [[service: 'api'], [service: 'web']], older: ['web'], message: 'canary too old: web', exit_code: 5]] }
        assert run('Jenkinsfile.nightly') == 'UNSTABLE'
        assert cli.options('status').subMap(['cluster', 'all', 'older_than']) == [cluster: 'shop-prd', all: true, older_than: '24h']
        assert calls('mail')*.named*.subject*.toString() == ['Canaries of shop-prd that wait for a decision: web']
    }
}
