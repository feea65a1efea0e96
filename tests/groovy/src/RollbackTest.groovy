import harness.*
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import org.junit.Test

/** Without being told what, ecsRollback undoes what this build began and did not finish. */
class RollbackTest extends LibraryTestCase {
    private Map rolledBack() { cli.options('rollback')?.subMap(['release', 'canary', 'to']) }
    private String after(String before) { scripted("node { try { ${before} } catch (e) { echo 'failed' }\n ecsRollback(service: 'api') }") }

    @Test void aCanaryThatWaits() {
        after("ecsCanary(service: 'api')")
        assert rolledBack() == [release: 'r1', canary: true]
        assert described == 'api shop: r1 rolled back'
    }
    @Test void aCanaryThatHadTrouble() {
        [[4, 'throttled'], [3, 'cancelled']].each { int code, String message ->
            newBuild()
            cli.answers.canary = { [code, [message: message, changed: true]] }
            after("ecsCanary(service: 'api')")
            assert rolledBack() == [release: 'r1', canary: true]
        }
    }
    @Test void aCanaryThatWasRefusedLeftNothing() {
        cli.answers.canary = { [3, [message: 'another holds it']] }
        after("ecsCanary(service: 'api')")
        assert !rolledBack() && described == 'api shop: refused: another holds it'
    }
    /** B2: the canary of this build lives, whatever was refused since. */
    @Test void aRefusalIsNoReasonToForgetWhatThisBuildBegan() {
        [2, 3].each { int code ->
            newBuild()
            cli.answers.promote = { [code, [release: [id: 'r9']]] }
            after("ecsCanary(service: 'api'); ecsPromote(service: 'api', release: 'r9')")
            assert rolledBack() == [release: 'r1', canary: true] : code
            newBuild()
            cli.answers.canary = { Map o -> o.release == 'r9' ? [code, [:]] : [0, [:]] }
            after("ecsCanary(service: 'api'); ecsCanary(service: 'api', release: 'r9')")
            assert rolledBack() == [release: 'r1', canary: true] : code
        }
    }
    @Test void whatCannotBeStartedIsNoReasonEither() {
        cli.answers.promote = { [4, null, 'no Python 3.10 or newer'] }
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api', release: 'r9')")
        assert rolledBack() == [release: 'r1', canary: true]
    }
    @Test void nobodyKnowsHowItEndedSoBothAreUndone() {
        cli.answers.promote = { [143, [release: [id: 'r9']]] }
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api', release: 'r9')")
        assert cli.allOptions('rollback')*.subMap(['release', 'canary']) == [[release: 'r9'], [release: 'r1', canary: true]]
    }
    @Test void whyIsSaidInTheDescription() {
        cli.answers.canary = { [4, [message: 'throttled', failed_step: 'tasks']] }
        after("ecsCanary(service: 'api')")
        assert described == 'api shop: r1 rolled back (tasks: throttled)'
        newBuild()
        cli.answers.canary = { [143, [message: 'interrupted']] }
        after("ecsCanary(service: 'api')")
        assert described == 'api shop: r1 rolled back (aborted)'
    }
    @Test void aRollbackThatIsCutShortSaysWhatWasDone() {
        String pipeline = "node { ecsCanary(service: 'api'); try { ecsRollback(service: 'api') } catch (e) { echo 'cut' }"
        cli.answers.rollback = { [143, [message: 'interrupted: the canary is out of the traffic, its task still runs', changed: true]] }
        scripted(pipeline + ' }')
        assert described == 'api shop: r1 rollback aborted: interrupted: the canary is out of the traffic, its task still runs, the next run resolves it'
        assert calls('junit').size() == 1 && !calls('publishHTML')
        assert calls('archiveArtifacts')[1].named.artifacts ==~ /.*,ecs-pipeline-reports\/api-\w{5}\/TEST-ecs-pipeline-rollback\.xml/
        newBuild()
        int attempts = 0
        cli.answers.rollback = { attempts++ ? [0, [:]] : [143, [:]] }
        scripted(pipeline + "\necsRollback(service: 'api') }")
        assert calls('junit')*.named*.testResults.findAll { it.contains('rollback') }.size() == 1 && calls('publishHTML').size() == 1
        assert described == 'api shop: r1 rolled back'
    }
    @Test void nothingElseTakesThePlaceOfWhatWasRolledBack() {
        int attempts = 0
        cli.answers.rollback = { [0, [changed: !attempts++]] }
        after("ecsCanary(service: 'api'); ecsRollback(service: 'api'); ecsRollback(service: 'api', release: 'r1')")
        assert cli.allOptions('rollback').size() == 2 && described == 'api shop: r1 rolled back'
    }
    @Test void aCanaryThatIsGoneIsNotSaidToTakeTraffic() {
        cli.answers.rollback = { [0, [changed: false]] }
        after("ecsCanary(service: 'api')")
        assert described == 'api shop: r1 was gone already'
    }
    @Test void aRefusedRollbackIsSaid() {
        cli.answers.rollback = { [3, [message: 'nothing to go back to']] }
        scripted("node { ecsRollback(service: 'api', anyRelease: true) }")
        assert described == 'api shop: r1 not rolled back: nothing to go back to, the next run resolves it'
    }
    @Test void aCanaryThatFailedIsGoneAlready() {
        cli.answers.canary = { [1, [:]] }
        after("ecsCanary(service: 'api')")
        assert !rolledBack() && echoes.last() == 'ecsRollback: nothing to roll back: release r1 is gone already'
    }
    @Test void aPromotedReleaseStays() {
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api'); error('smoke test')")
        assert !rolledBack()
        assert echoes.last() == "ecsRollback: nothing to roll back: release r1 is promoted and stays; ecsRollback(release: 'r1') undoes it"
    }
    @Test void aPromotionWhoseHookFailedStays() {
        cli.answers.promote = { [4, [failed_step: 'after_promote: purge', message: 'release r1 is promoted, but its after_promote hooks are not done']] }
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api')")
        assert !rolledBack() && echoes.contains('failed')
        assert described.startsWith('api shop: r1 promoted, but a hook failed: after_promote: purge: release r1 is promoted')
        assert calls('publishHTML').size() == 1
        newBuild()
        cli.answers.promote = { [4, [failed_step: 'stable', message: 'after_promote: is what AWS said']] }
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api')")
        assert rolledBack() == [release: 'r1']
    }
    @Test void aRollbackWhoseHookFailedIsSaidToBeDone() {
        cli.answers.rollback = { [4, [failed_step: 'after_rollback: tell', message: 'the service is back on api:1']] }
        after("ecsCanary(service: 'api'); error('smoke test')")
        assert described.startsWith('api shop: r1 rolled back, but a hook failed: after_rollback: tell: the service is back')
    }
    @Test void aPromotionThatStoppedHalfway() {
        [4, 143].each { int code ->
            newBuild()
            cli.answers.promote = { [code, [:]] }
            after("ecsCanary(service: 'api'); ecsPromote(service: 'api')")
            assert rolledBack() == [release: 'r1'] : code
        }
    }
    @Test void aPromotionThatWasRefusedLeavesACanary() {
        [2, 3].each { int code ->
            newBuild()
            cli.answers.promote = { [code, [:]] }
            after("ecsCanary(service: 'api'); ecsPromote(service: 'api')")
            assert rolledBack() == [release: 'r1', canary: true] : code
        }
    }
    @Test void aPromotionThatFailedIsUndoneAlready() {
        cli.answers.promote = { [1, [:]] }
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api')")
        assert !rolledBack()
    }
    @Test void twiceIsOnce() {
        after("ecsCanary(service: 'api'); ecsRollback(service: 'api')")
        assert cli.commands == ['canary', 'rollback']
    }
    @Test void again_whenItFailed() {
        int attempts = 0
        cli.answers.rollback = { [attempts++ ? 0 : 4, [:]] }
        after("ecsCanary(service: 'api'); ecsRollback(service: 'api')")
        assert cli.allOptions('rollback')*.release == ['r1', 'r1']
    }
    @Test void nothingWasBegunInAFailedBuild() {
        h.build.result = 'FAILURE'
        after("error('unit tests')")
        assert !cli.given && !unstable && echoes.last() == 'ecsRollback: nothing to roll back: this build began no release'
    }
    @Test void nothingWasBegunWhereSomethingIsExpected() {
        assert scripted("node { ecsRollback(service: 'api') }") == 'UNSTABLE'
        assert !cli.given && unstable[0].endsWith('Say what to undo: release:, to:, or anyRelease: true')
    }
    @Test void neverOfAnEarlierBuild() {
        scripted("node { ecsCanary(service: 'api') }")
        restarted()
        h.build.result = 'FAILURE'
        after("error('before the canary')")
        assert !cli.given : 'the canary of the build before is not this one\'s'
        newBuild()
        after("ecsCanary(service: 'api'); ecsPromote(service: 'api')")
        restarted()
        h.build.result = 'FAILURE'
        after("error('before the canary')")
        assert !cli.given
        cli.answers.canary = { [2, [release: [id: '']]] }
        after("ecsCanary(service: 'api')")
        assert cli.commands == ['canary'] : 'r1 was promoted by the build before'
    }
    @Test void aCanaryWhoseAgentWasLostIsFoundByItsBuild() {
        Closure lost = { throw new FlowInterruptedException() }
        cli.answers.canary = lost
        cli.answers.status = { [0, [canary: [release: 'r5', build: 'http://ci/job/shop/7/']]] }
        after("ecsCanary(service: 'api')")
        assert rolledBack() == [release: 'r5', canary: true]
        newBuild()
        cli.answers.canary = lost
        cli.answers.status = { [0, [canary: [release: 'r6', build: 'http://ci/job/shop/8/']]] }
        after("ecsCanary(service: 'api')")
        assert !rolledBack() : 'that is a newer build\'s'
    }
    @Test void whatItIsToldTo() {
        scripted("node { ecsRollback(service: 'api', to: 'api:3'); ecsRollback(service: 'api', release: 'r0'); ecsRollback(service: 'api', anyRelease: true); ecsRollback(anyRelease: true, canary: true) }")
        assert cli.allOptions('rollback')*.subMap(['release', 'canary', 'to']) == [[to: 'api:3'], [release: 'r0'], [:], [canary: true]]
    }
    @Test void whatItUndidIsTold() {
        scripted("node { ecsRollback(service: 'api', release: 'r0') }")
        assert env().ECS_RELEASE == 'r0' && env().ECS_RELEASE_API == 'r0'
    }
    @Test void nothingToRollBackIsSaid() {
        cli.answers.rollback = { [0, [changed: false, steps: [[name: 'preflight', message: 'whatever it says']]]] }
        scripted("node { ecsRollback(service: 'api', anyRelease: true) }")
        assert described == 'api shop: nothing to roll back'
    }
    @Test void outsideOfAnAgentItTakesOne() {
        scripted("ecsCanary(service: 'api'); ecsRollback(service: 'api')")
        assert calls('node').size() == 2
    }
}
