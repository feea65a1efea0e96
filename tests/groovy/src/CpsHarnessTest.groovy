import harness.*
import org.junit.Test

/** The harness itself: what breaks in Jenkins must break here. */
class CpsHarnessTest {
    /** bad*: the harness must fail the run. ok*: what CPS programs may do, with the value they must return. */
    @Test void catchesWhatBreaksInJenkins() {
        Map expected = [okDefaults: 'dfltz-', okEachStep: [a: 'out\n', b: 'out\n'], okMapIter: 'ab', okOwnClass: 'a', okReplaceAll: ['aBc', [1: [1, 3], 0: [2]], 'aa'], okParallel: [1, 2], okGate: [null, true]]
        List seen = []
        new File('tests/groovy/testlibs/bad/vars').listFiles().sort().each { File f ->
            String name = f.name - '.groovy'
            CpsHarness h = new CpsHarness([new File('tests/groovy/testlibs/bad')], true)
            h.variables.env.WORKSPACE = '/ws'
            Object value = null
            Throwable caught = null
            try { value = h.callGlobal(name) } catch (AssertionError e) { caught = e }
            if (name.startsWith('bad')) { assert caught : "${name} passed with ${value}" } else { assert value == expected[name] : caught; seen << name }
        }
        assert seen as Set == expected.keySet()
    }

    /** CodeNarc passes over a file that does not compile, and the harness loads classes only when they are used. */
    @Test void everythingCompiles() {
        CpsHarness h = new CpsHarness([new File('.')])
        new File('src').eachFileRecurse { File f ->
            if (f.name.endsWith('.groovy')) { h.loader.loadClass(new File('src').toPath().relativize(f.toPath()).toString().replace('/', '.') - '.groovy') }
        }
    }
}
