package harness

import org.junit.Before
import org.junit.Rule
import org.junit.rules.TemporaryFolder

/** A build of its own for each test, with the library and a command line that answers as the test says. */
abstract class LibraryTestCase {
    @Rule public TemporaryFolder folder = new TemporaryFolder()
    CpsHarness h
    FakeCommandLine cli

    @Before void newBuild() {
        h = new CpsHarness([new File('.'), new File('tests/groovy/testlibs/plugins')])
        cli = new FakeCommandLine(h)
    }

    /** A scripted pipeline's result. */
    String scripted(String text) {
        File file = folder.newFile()
        file.text = "@Library('ecs-pipeline') _\n${text}\n"
        return h.build(file)
    }

    /** A declarative pipeline's result. */
    String declarative(String text) {
        File file = folder.newFile()
        file.text = "@Library('ecs-pipeline') _\n${text}\n"
        return new Declarative(h).build(file)
    }

    /** The build's description without the addresses of its pages: most tests are about what it says. */
    String getDescribed() { withoutPages(h.build.description) }
    static String withoutPages(String description) { description?.replaceAll(/, report: \S+\/release\.html/, '') }
    Map env() { (Map) h.variables.env }
    List<StepCall> calls(String name) { h.calls.findAll { it.name == name } }
    List<String> getEchoes() { calls('echo').collect { said(it) } }
    List<String> getUnstable() { calls('unstable').collect { said(it) } }
    static String said(StepCall c) { (c.first instanceof Map ? c.named.message : c.first).toString() }

    /** A new build of the same job: it has the environment variables of the old one when it is restarted from a stage. */
    void restarted() {
        Map kept = env().findAll { k, v -> k.toString().startsWith('ECS_') }
        newBuild()
        env().putAll(kept)
        env().putAll([BUILD_NUMBER: '8', BUILD_URL: 'http://ci/job/shop/8/', BUILD_TAG: 'jenkins-shop-8'])
        h.build.number = 8
    }
}
