import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** Every Jenkinsfile that the documentation shows, approved and rejected. */
class ExamplesTest extends LibraryTestCase {
    static final List<String> SHOWN = new File('docs/examples').list().findAll { it.startsWith('Jenkinsfile') }.sort()

    private String run(String name) {
        h.variables.params.putAll([TAG: '1.2', IMAGE: 'example.org/api:1.2'])
        h.variables.POD_LABEL = 'pod'
        return new Declarative(h).build(new File("docs/examples/${name}"))
    }
    private void reject() { h.steps.input = { StepCall c -> throw new FlowInterruptedException() } }

    @Test void allAreListedAndTested() {
        assert SHOWN == ['docker', 'image', 'kubernetes', 'matrix', 'scripted'].collect { 'Jenkinsfile.' + it }
        String index = new File('docs/examples/README.md').text
        SHOWN.each { assert index.contains("(${it})") }
    }
    @Test void allEndWellWhenApproved() {
        (SHOWN - 'Jenkinsfile.matrix').each {
            newBuild()
            assert run(it) == 'SUCCESS' : "${it}: ${h.failure}"
            assert cli.commands == ['canary', 'promote'] : it
            assert cli.options('promote').approved_by == 'jane' && calls('input')[0].depth < 8 : it
        }
    }
    @Test void allRollBackOnceWhenRejected() {
        (SHOWN - 'Jenkinsfile.matrix').each {
            newBuild()
            reject()
            assert run(it) == 'ABORTED' : "${it}: ${h.failure}"
            assert cli.commands == ['canary', 'rollback'] : it
            assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true] : it
        }
    }
    @Test void noneHoldsAnAgentAtItsGate() {
        SHOWN.each {
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
}
