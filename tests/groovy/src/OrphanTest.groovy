import harness.*
import org.junit.Test

/** A canary that is still there when the next build comes. */
class OrphanTest extends LibraryTestCase {
    /** The service is held by the canary of a build; `--replace` frees it. */
    private void heldBy(String build) {
        cli.answers.canary = { Map o -> o.replace ? [0, [:]] : [3, [message: 'release r0 holds shop/api: whatever it says', release: [id: 'r1'],
            holder: [release: 'r0', task: '1f', build: build, since: '2026-11-27T12:00:00Z']]] }
    }
    private Build earlier(int number, String result, Build before = null) {
        Build b = new Build(number: number, previousBuild: before)
        b.@result = result
        return b
    }
    private String deploy() { scripted("node { ecsCanary(service: 'api') }") }

    @Test void ofAnEndedBuildOfThisJobIsRolledBackFirst() {
        ['ABORTED', 'FAILURE', 'NOT_BUILT', 'SUCCESS'].each {
            newBuild()
            heldBy('http://ci/job/shop/5/')
            h.build.previousBuild = earlier(6, null, earlier(5, it))
            assert deploy() == 'SUCCESS'
            assert cli.allOptions('canary')*.replace == [null, true]
            assert echoes.any { it.contains('release r0 was left by http://ci/job/shop/5/, which has ended') }
            assert calls('junit').size() == 1 && !cli.options('status') : 'the refusal is no failed test'
        }
    }
    @Test void ofABuildThatIsNoLongerKept() {
        heldBy('http://ci/job/shop/5/')
        assert deploy() == 'SUCCESS'
    }
    @Test void ofAJobWhoseJenkinsHasNoAddress() {
        env().keySet().removeAll(['JOB_URL', 'BUILD_URL'])
        heldBy('jenkins-shop-5')
        assert deploy() == 'SUCCESS'
    }
    @Test void ofAJobWithAPercentInItsAddress() {
        env().JOB_URL = 'http://ci/job/my%20shop/'
        heldBy('http://ci/job/my=2520shop/5/')
        assert deploy() == 'SUCCESS'
    }
    @Test void ofABuildThatMayBeAtItsGateIsLeftAlone() {
        [null, 'UNSTABLE'].each {
            newBuild()
            heldBy('http://ci/job/shop/5/')
            h.build.previousBuild = earlier(5, it)
            assertRefused()
        }
    }
    @Test void ofANewerBuildAnotherJobOrNobodyIsLeftAlone() {
        ['http://ci/job/shop/8/', 'http://ci/job/shop/7/', 'http://ci/job/shop/job/main/5/', 'http://ci/job/other/5/', 'jenkins-other-5', 'http://ci/job/shop/5/' + 'x' * 250, ''].each {
            newBuild()
            heldBy(it)
            assertRefused()
        }
    }
    /** What the command line writes is what is read here: tests/unit/test_marks.py has the same vectors. */
    @Test void tagsOfBuildsAreReadAsTheyAreWritten() {
        Map vectors = (Map) new groovy.json.JsonSlurper().parse(new File('tests/vectors/build_tags.json'), 'UTF-8')
        Class origin = h.loader.loadClass('ecspipeline.Origin')
        assert vectors.values.size() > 10 && vectors.numbers.size() > 5
        vectors.values.each { assert origin.tagValue(it.text) == it.value }
        vectors.numbers.each { assert origin.number(it.build, it.job_url, '', '7') == it.number : it }
    }
    private void assertRefused() {
        assert deploy() == 'FAILURE'
        assert h.failure.message.startsWith('release r0 holds shop/api')
        assert cli.allOptions('canary').size() == 1 && calls('junit').size() == 1 && calls('error').size() == 1
    }
    @Test void aSecondAttemptOfOneBuildGoesOnWithItsRelease() {
        int attempts = 0
        cli.answers.canary = { Map o -> attempts++ ? [0, [:]] : [4, [:]] }
        assert scripted("node { try { ecsCanary(service: 'api') } catch (e) { ecsCanary(service: 'api') } }") == 'SUCCESS'
        assert cli.allOptions('canary')*.release == [null, 'r1']
    }
}
