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
        h.steps.input = { StepCall c -> [APPROVER: 'jane', REASON: 'fine'] }
        assert example() == 'UNSTABLE' && cli.commands == ['canary', 'promote']
    }
    @Test void examplesRollbackThatFailedInTheGateIsTriedAgainInPost() {
        int attempts = 0
        cli.answers.rollback = { [attempts++ ? 0 : 4, [:]] }
        h.steps.input = { StepCall c -> throw new FlowInterruptedException() }
        assert example() == 'ABORTED' && cli.commands == ['canary', 'rollback', 'rollback']
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
