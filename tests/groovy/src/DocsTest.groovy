import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** What docs/jenkins.md shows of the gate and of the descriptions is what the library says. */
class DocsTest extends LibraryTestCase {
    static final String PAGE = new File('docs/jenkins.md').getText('UTF-8')
    static final String RELEASE = '20261127-191552-ab12cd3'

    /** The lines of the block behind the marker that has this line in it. */
    private static List<String> shown(String within) {
        List<String> blocks = PAGE.split('<!-- tests/groovy/src/DocsTest.groovy makes these lines -->\n```text\n').drop(1)*.split('\n```\n')*.getAt(0)
        return blocks.find { it.contains(within) }.readLines()
    }
    private Map report(Map more = [:]) { [cluster: 'sample-app-prd', service: 'sample-app', release: [id: RELEASE, digest: 'sha256:d55c4177db74cc028eaa']] + more }
    private String story(Map answers, Closure set = {}, String gate = ', rollback: false') {
        newBuild()
        env().putAll([BUILD_URL: 'https://ci.example.com/job/shop/7/'])
        ['canary', 'promote', 'rollback'].each { String command -> cli.answers[command] = { [0, report()] } }
        cli.answers.putAll(answers)
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: 'numbers look good'] }
        set()
        scripted("""try {
            node { ecsCanary(environment: 'prd') }
            ecsApprove(environment: 'prd', timeLimit: '1s'${gate})
            echo(currentBuild.description)
            node { ecsPromote(environment: 'prd') }
        } catch (e) {
            ecsRollback.after(e, [environment: 'prd'])
            throw e
        }""")
        return described
    }

    @Test void theGate() {
        story(canary: { [0, report(
            commit: 'ab12cd3', canary: [share: 25.0, since: '2026-11-27T19:16:12Z'],
            release: [id: RELEASE, digest: 'sha256:d55c4177db74cc028eaa', task_definition: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/sample-app-prd:42'],
            checks: [[name: 'answers', verdict: 'pass', message: '15 samples, p95 15 ms, limit 300 ms'], [name: 'errors', verdict: 'pass', message: '0 errors/min, limit 2 errors/min']],
        )] }, {}, '')
        Map question = calls('input')[0].named
        assert shown('Promote: ') == [question.message] + question.parameters[0].description.readLines()
    }
    @Test void theDescriptions() {
        List<String> said = []
        said << story(canary: { [0, report()] }) { h.steps.input = { StepCall c -> said << described; [APPROVER: 'jane', COMMENT: 'numbers look good'] } }
        story(canary: { [5, report(message: 'check answers: 3 samples of 10')] }) { h.steps.input = { StepCall c -> said << described; [APPROVER: 'jane', COMMENT: 'numbers look good'] } }
        said << withoutPages(echoes.find { it.contains(', approved by jane') && !it.contains('promoted') })
        said << story(canary: { [1, report(message: 'the canary task stopped: exit code 3', failed_step: 'tasks')] })
        said << story(promote: { [1, report(message: 'the circuit breaker stopped the rollout', failed_step: 'stable')] })
        said << story([:]) { h.steps.input = { StepCall c -> throw new FlowInterruptedException() } }
        said << story([:]) { h.steps.timeout = { StepCall c -> Thread.sleep(1100); throw new FlowInterruptedException() } }
        said << story([:]) { h.steps.input = { StepCall c -> throw new FlowInterruptedException('NOT_BUILT') } }
        said << story(canary: { [143, report()] })
        said << story(canary: { [3, report(message: 'release 20261127-180000-99ff00a holds sample-app-prd/sample-app')] })
        said << story(promote: { [4, report()] }, rollback: { [4, report(message: 'AWS throttles StopTask')] })
        assert shown('canary takes 25 %') as Set == said as Set
    }
}
