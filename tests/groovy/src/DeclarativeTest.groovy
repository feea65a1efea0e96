import harness.*
import hudson.AbortException
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** The library in declarative pipelines: Jenkinsfile.example, parallel, matrix. */
class DeclarativeTest extends LibraryTestCase {
    static final File EXAMPLE = new File('Jenkinsfile.example')
    private String example() {
        Declarative d = new Declarative(h)
        return d.build(EXAMPLE)
    }

    @Test void exampleApproved() {
        assert example() == 'SUCCESS' : h.failure
        assert cli.commands == ['canary', 'promote']
        assert cli.options('promote').subMap(['release', 'approved_by', 'environment']) == [release: 'r1', approved_by: 'jane', environment: 'stg']
        assert calls('node').size() == 2 && calls('input').size() == 1
    }
    @Test void exampleRejectedTimedOutOrAborted() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert example() == 'ABORTED' && cli.commands == ['canary', 'rollback'] : 'once, although post calls it again'
        newBuild()
        h.steps.timeout = { StepCall c -> throw new FlowInterruptedException() }
        assert example() == 'ABORTED' && cli.commands == ['canary', 'rollback']
        newBuild()
        cli.answers.canary = { [143, [:]] }
        assert example() == 'ABORTED' && cli.commands == ['canary', 'rollback']
        newBuild()
        cli.answers.promote = { [143, [:]] }
        assert example() == 'ABORTED' && cli.commands == ['canary', 'promote', 'rollback']
    }
    @Test void exampleSuperseded() {
        h.steps.input = { StepCall c -> throw new FlowInterruptedException('NOT_BUILT') }
        assert example() == 'NOT_BUILT' && cli.commands == ['canary', 'rollback']
    }
    @Test void exampleFailing() {
        cli.answers.canary = { [1, [message: 'unhealthy']] }
        assert example() == 'FAILURE' && cli.commands == ['canary'] && h.failure.message.startsWith('unhealthy')
    }
    @Test void exampleInconclusiveIsPromotedWhenApproved() {
        cli.answers.canary = { [5, [:]] }
        h.steps.input = { StepCall c -> [APPROVER: 'jane', COMMENT: 'fine'] }
        assert example() == 'UNSTABLE' && cli.commands == ['canary', 'promote']
    }
    @Test void examplesRollbackThatFailedInTheGateIsTriedAgainInPost() {
        int attempts = 0
        cli.answers.rollback = { [attempts++ ? 0 : 4, [:]] }
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert example() == 'ABORTED' && cli.commands == ['canary', 'rollback', 'rollback']
    }
    /** B2: a refused promotion of something else is no reason to leave the canary of this build in the traffic. */
    @Test void aRefusedPromotionDoesNotHideTheCanary() {
        cli.answers.promote = { [3, [release: [id: 'v1.2.3'], message: 'no such release']] }
        assert declarative('''pipeline {
            agent any
            stages {
                stage('Canary') { steps { ecsCanary service: 'api' } }
                stage('Promote') { steps { ecsPromote service: 'api', release: 'v1.2.3' } }
            }
            post { failure { ecsRollback service: 'api' } }
        }''') == 'FAILURE'
        assert cli.options('rollback').subMap(['release', 'canary']) == [release: 'r1', canary: true]
        assert described == 'api shop: r1 rolled back'
    }
    /** F9: a newer build passes a milestone while this one rolls back, too. */
    @Test void exampleSupersededTwiceLeavesOneLineOneLinkOneResult() {
        int attempts = 0
        cli.answers.rollback = { attempts++ ? [0, [:]] : [143, [message: 'interrupted']] }
        h.steps.input = { StepCall c -> throw new FlowInterruptedException('NOT_BUILT') }
        assert example() == 'NOT_BUILT' && cli.commands == ['canary', 'rollback', 'rollback']
        assert described == 'api stg: r1 rolled back (superseded by a newer build)'
        assert calls('publishHTML').size() == 1 && calls('junit').size() == 2
    }
    @Test void aStageAfterThePromotionDoesNotUndoIt() {
        assert declarative('''pipeline {
            agent any
            stages {
                stage('Deploy') { steps { ecsDeploy service: 'api', cluster: 'shop', image: 'x' } }
                stage('Smoke') { steps { error 'smoke test' } }
            }
            post { failure { ecsRollback service: 'api', cluster: 'shop' } }
        }''') == 'FAILURE'
        assert cli.commands == ['canary', 'promote']
    }
    /** A build that ends so or so, with ecsRollback in one condition of its post: its result, and what was run. */
    private List ended(String condition, int canary, int promote = 0, String more = '', String superseded = null) {
        newBuild()
        cli.answers.canary = { [canary, [:]] }
        cli.answers.promote = { [promote, [:]] }
        h.steps.input = { StepCall c -> throw new FlowInterruptedException(superseded) }
        String result = declarative("""pipeline {
            agent none
            stages {
                stage('Canary') { steps { ecsCanary service: 'api', cluster: 'shop', image: 'x' } }
                ${superseded ? "stage('Gate') { steps { input 'Promote?' } }" : ''}
                stage('Promote') { steps { ecsPromote service: 'api', cluster: 'shop' } }
                ${more}
            }
            post { ${condition} { ecsRollback service: 'api', cluster: 'shop' } }
        }""")
        return [result, cli.commands]
    }
    @Test void rollbackInEveryConditionOfPost() {
        ['failure', 'always', 'cleanup', 'unsuccessful'].each {
            assert ended(it, 1) == ['FAILURE', ['canary']] : it
            assert ended(it, 4) == ['FAILURE', ['canary', 'rollback']] : it
            assert ended(it, 0, 1) == ['FAILURE', ['canary', 'promote']] : it
            assert ended(it, 0, 4) == ['FAILURE', ['canary', 'promote', 'rollback']] : it
            assert ended(it, 0, 0, "stage('Smoke') { steps { error 'smoke' } }") == ['FAILURE', ['canary', 'promote']] : it
        }
        ['aborted', 'always', 'cleanup', 'unsuccessful'].each {
            assert ended(it, 143) == ['ABORTED', ['canary', 'rollback']] : it
            assert ended(it, 0, 143) == ['ABORTED', ['canary', 'promote', 'rollback']] : it
        }
        ['notBuilt', 'always', 'cleanup', 'unsuccessful'].each {
            assert ended(it, 0, 0, '', 'NOT_BUILT') == ['NOT_BUILT', ['canary', 'rollback']] : it
        }
        ['unstable', 'always', 'cleanup', 'unsuccessful'].each {
            assert ended(it, 5) == ['UNSTABLE', ['canary', 'promote']] : "${it}: approved and promoted, so it stays"
        }
        ['success', 'always', 'cleanup'].each { assert ended(it, 0) == ['SUCCESS', ['canary', 'promote']] : it }
        ['aborted', 'notBuilt', 'unstable', 'success'].each { assert ended(it, 4) == ['FAILURE', ['canary']] : it }
    }
    /** Why the documentation advises against it: the gate comes after the post of the canary's stage. */
    @Test void unsuccessfulInTheCanarysOwnStageRemovesAnInconclusiveOne() {
        cli.answers.canary = { [5, [:]] }
        declarative("""pipeline {
            agent any
            stages { stage('Canary') {
                steps { ecsCanary service: 'api' }
                post { unsuccessful { ecsRollback service: 'api' } }
            } }
        }""")
        assert cli.commands == ['canary', 'rollback']
    }
    @Test void aBuildThatBeganNothingIsOnlyToldSo() {
        String text = "pipeline { agent none\nstages { stage('Test') { steps { error 'unit tests' } } }\npost { failure { ecsRollback service: 'api' } } }"
        assert declarative(text) == 'FAILURE' && !cli.given && !calls('node') && h.failure.message == 'unit tests'
        assert echoes == ['ecsRollback: nothing to roll back: this build began no release']
    }
    @Test void aJobThatOnlyRollsBack() {
        Closure job = { newBuild(); declarative("pipeline { agent any\nstages { stage('Rollback') { steps { ecsRollback ${it} } } } }") }
        assert job("environment: 'prd', anyRelease: true") == 'SUCCESS' && cli.commands == ['rollback'] && !cli.options('rollback').release
        assert job("environment: 'prd', to: 'api:3'") == 'SUCCESS' && cli.options('rollback').to == 'api:3'
        assert job("environment: 'prd'") == 'UNSTABLE' && !cli.given
        assert unstable == ['ecsRollback: nothing was rolled back: this build began no release. Say what to undo: release:, to:, or anyRelease: true']
        newBuild()
        cli.answers.rollback = { [3, [message: 'nothing to go back to']] }
        assert declarative("pipeline { agent any\nstages { stage('Rollback') { steps { ecsRollback environment: 'prd', anyRelease: true } } } }") == 'FAILURE'
        assert h.failure.message.startsWith('nothing to go back to')
    }
    @Test void matrixOfServicesAndRegions() {
        cli.answers.canary = { Map o -> [0, [release: [id: "${o.service}-${o.region}".toString()]]] }
        assert declarative('''pipeline {
            agent none
            stages {
                stage('Deploy') {
                    matrix {
                        axes {
                            axis { name 'SERVICE'; values 'api', 'web' }
                            axis { name 'REGION'; values 'eu', 'us' }
                        }
                        stages {
                            stage('Canary') {
                                agent any
                                steps { ecsCanary service: SERVICE, region: REGION, cluster: 'c', image: 'x' }
                            }
                        }
                    }
                }
                stage('Promote') {
                    matrix {
                        axes {
                            axis { name 'SERVICE'; values 'api', 'web' }
                            axis { name 'REGION'; values 'eu', 'us' }
                        }
                        stages {
                            stage('Promote one') {
                                agent any
                                steps { ecsPromote service: SERVICE, region: REGION, cluster: 'c' }
                            }
                        }
                    }
                }
            }
        }''') == 'SUCCESS' : h.failure
        assert cli.allOptions('promote')*.release == ['api-eu', 'api-us', 'web-eu', 'web-us']
    }
    @Test void refusals() {
        ["agent none\nstages { stage('x') { steps { if (true) { echo 'x' } } } }"                                   : 'expected a step or section, found If',
         "agent none\nstages { stage('x') { steps { echo 'x' } } }\npost { allways { echo 'x' } }"                  : 'Undefined section "allways" in post',
         "agent none\nstages { stage('x') { when { branche 'x' }\nsteps { echo 'x' } } }"                           : 'Undefined section "branche" in when',
         "agent none\nstages { stage('x') { post { always { echo 'x' } } } }"                                       : 'Expected one of',
         "agent none\nstages { stage('x') { steps { sh 'x' } } }"                                                   : 'FilePath is missing: sh outside node',
         "agent none\nstages { stage('x') { steps { echo SERVCE } } }"                                              : 'No such property: SERVCE',
         "stages { stage('x') { steps { echo 'x' } } }"                                                             : 'Missing required section "agent"',
        ].each { text, message ->
            newBuild()
            String got = null
            try { declarative("pipeline {\n${text}\n}"); got = h.failure?.message } catch (IllegalArgumentException | AssertionError e) { got = e.message }
            assert got?.contains(message) : "${text}: ${got}"
        }
    }
}
