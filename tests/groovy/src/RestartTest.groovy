import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** The controller is restarted at every single step of a build: its program is loaded with classes that are initialised anew, in the sandbox. */
class RestartTest extends LibraryTestCase {
    static final String DEPLOY = "ecsDeploy(service: 'api', cluster: 'shop', image: 'x:1', watch: '2m', onOpen: { echo it.text }, fourEyes: true)"

    private String restarted(String pipeline) {
        h.restarting = true
        return pipeline.contains('pipeline {') ? declarative(pipeline) : scripted(pipeline)
    }
    private void nobodyApproves() { h.steps.input = { StepCall c -> throw new FlowInterruptedException() } }

    @Test void ofADeploymentThatIsApproved() {
        assert restarted(DEPLOY) == 'SUCCESS' : h.failure
        assert cli.commands == ['canary', 'promote'] && cli.options('promote').approved_by == 'jane'
    }
    @Test void ofADeploymentThatIsRejected() {
        nobodyApproves()
        assert restarted(DEPLOY) == 'ABORTED' : h.failure
        assert cli.commands == ['canary', 'rollback']
    }
    @Test void ofADeploymentThatIsAbortedDuringItsCanary() {
        cli.answers.canary = { [143, [:]] }
        assert restarted(DEPLOY) == 'ABORTED' : h.failure
        assert cli.commands == ['canary', 'rollback']
    }
    @Test void ofADeploymentWhoseRollbackFails() {
        nobodyApproves()
        cli.answers.rollback = { [4, [message: 'throttled']] }
        assert restarted(DEPLOY) == 'ABORTED' : h.failure
    }
    @Test void ofADeclarativePipeline() {
        nobodyApproves()
        assert restarted("""pipeline {
            agent none
            stages {
                stage('Canary') { agent any
                    steps { ecsCanary environment: 'prd' } }
                stage('Approve') { steps { ecsApprove environment: 'prd', watch: '2m' } }
                stage('Promote') { agent any
                    steps { ecsPromote environment: 'prd' } }
            }
            post { aborted { ecsRollback environment: 'prd' } }
        }""") == 'ABORTED' : h.failure
        assert cli.commands == ['canary', 'rollback']
    }
    @Test void ofTwoBranches() {
        assert restarted("parallel(api: { ${DEPLOY} }, web: { ${DEPLOY.replace('api', 'web')} })") == 'SUCCESS' : h.failure
        assert cli.commands == ['canary', 'promote'] * 2
    }
    @Test void ofADryRun() {
        assert restarted(DEPLOY.replace("'2m'", "'2m', dryRun: true")) == 'SUCCESS' : h.failure
        assert cli.commands == ['canary']
    }
    @Test void ofABuildThatLooksAndUndoes() {
        assert restarted("node { ecsStatus(service: 'api'); ecsJudge(service: 'api'); ecsProvision(service: 'api'); ecsCanary(service: 'api'); ecsRollback(service: 'api') }") == 'SUCCESS' : h.failure
    }
}
