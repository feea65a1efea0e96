package harness

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.CpsTransformer
import com.cloudbees.groovy.cps.Envs
import com.cloudbees.groovy.cps.Outcome
import com.cloudbees.groovy.cps.SerializableScript
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation
import com.cloudbees.groovy.cps.impl.CpsClosure
import com.cloudbees.groovy.cps.sandbox.DefaultInvoker
import com.cloudbees.groovy.cps.sandbox.Invoker
import com.cloudbees.groovy.cps.sandbox.SandboxInvoker
import hudson.AbortException
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.customizers.ImportCustomizer
import org.codehaus.groovy.runtime.InvokerHelper
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** A step call that the program yields to the driver. */
class StepCall implements Serializable {
    String name
    List args
    int depth
    StepCall(String name, List args) { this.name = name; this.args = args }
    Map getNamed() { args && args[0] instanceof Map ? (Map) args[0] : [:] }
    Closure getBody() { args && args[-1] instanceof Closure ? (Closure) args[-1] : null }
    Object getFirst() { args ? args[0] : null }
    String toString() {
        List shown = args.findAll { !(it instanceof Closure) }.collect { it instanceof Map ? it.collectEntries { k, v -> [(k): v instanceof Closure ? '{}' : v] } : it }
        return "${name}(${shown.join(', ')})${body ? ' {' : ''}"
    }
}

/** `currentBuild`. A result only gets worse. */
class Build implements Serializable {
    static final List<String> ORDER = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
    String result, description, displayName = '#1'
    int number = 1
    Build previousBuild
    List<Map> buildCauses = []
    static String worse(String a, String b) { ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b }
    void setResult(String r) {
        if (!ORDER.contains(r)) { throw new IllegalArgumentException("no such result: ${r}") }
        this.@result = worse(r, currentResult)
    }
    String getCurrentResult() { result ?: 'SUCCESS' }
}

/** Base class of Jenkinsfile and vars scripts: what CpsScript is in Jenkins. */
@groovy.transform.CompileStatic
abstract class HarnessScript extends SerializableScript {
    Object invokeMethod(String name, Object args) {
        List list = InvokerHelper.asList(args)
        Object global = ((CpsHarness) CpsHarness.current).global(name)
        if (global != null) {
            return InvokerHelper.getMetaClass(global).invokeMethod(global, 'call', list.toArray())
        }
        return Continuable.suspend(name, new StepCall(name, list))
    }
    Object getProperty(String name) {
        if (name != 'binding' && name != 'metaClass') {
            Object v = CpsHarness.current.variable(name)
            if (v != null) { return v }
        }
        return super.getProperty(name)
    }
    Object evaluate(String s) { throw new UnsupportedOperationException('evaluate') }
    void println(Object o) { invokeMethod('echo', [String.valueOf(o)] as Object[]) }
    private void writeObject(ObjectOutputStream o) throws IOException { o.writeObject(new LinkedHashMap(getBinding().getVariables())) }
    private void readObject(ObjectInputStream i) throws IOException, ClassNotFoundException {
        setBinding(new Binding())
        getBinding().getVariables().putAll((Map) i.readObject())
    }
}

/** What workflow-cps' IteratorHack does: makes the iterators of the common collections serialisable. */
@groovy.transform.CompileStatic
class SerializableIterators {
    static class Itr implements Iterator, Serializable {
        final List items; int at = 0
        Itr(Collection c) { items = new ArrayList(c) }
        boolean hasNext() { at < items.size() }
        Object next() { items[at++] }
        void remove() { throw new UnsupportedOperationException() }
    }
    static Iterator iterator(List l) { new Itr(l) }
    static Iterator iterator(Set l) { new Itr(l) }
    static Iterator iterator(Map m) { new Itr(entrySet(m)) }
    static Collection entrySet(Map m) {
        List out = new ArrayList()
        Iterator i = new LinkedHashMap(m).entrySet().iterator()
        while (i.hasNext()) { out.add(new AbstractMap.SimpleImmutableEntry((Map.Entry) i.next())) }
        return out
    }
    static Set keySet(Map m) { Set l = new LinkedHashSet(); l.addAll((Collection) m.keySet()); return l }
    static Collection values(Map m) { List l = new ArrayList(); l.addAll((Collection) m.values()); return l }
}

@groovy.transform.CompileStatic
class Mismatch implements CpsCallableInvocation.MismatchHandler {
    void handle(Object expReceiver, String expMethod, Object gotReceiver, String gotMethod) {
        CpsHarness.current.problems.add('expected to call ' + (expReceiver?.class?.simpleName) + '.' + expMethod + ' but wound up catching ' + (gotReceiver?.class?.simpleName) + '.' + gotMethod)
    }
}

/** The end of a build whose program cannot be loaded: nothing of it runs any more, no `catch` and no `post`. */
class NotLoadedError extends AssertionError {
    NotLoadedError(Object message, Throwable cause) { super(message.toString(), cause) }
}

/** Reads a saved program with a loader's classes, initialised as they are read: a class literal does so in Jenkins (JBoss Marshalling). */
@groovy.transform.CompileStatic
class ProgramInput extends ObjectInputStream {
    private final ClassLoader loader
    ProgramInput(InputStream input, ClassLoader loader) { super(input); this.loader = loader }
    protected Class<?> resolveClass(ObjectStreamClass desc) throws IOException, ClassNotFoundException {
        try { return Class.forName(desc.name, true, loader) } catch (ClassNotFoundException e) { return super.resolveClass(desc) }
    }
}

/** Compiles and runs as Jenkins does for a folder-level library, in its sandbox, step by step; saves and loads the whole program at every step. */
class CpsHarness {
    static CpsHarness current
    final Map<String, Closure> steps = [:]
    final Map<String, Object> variables = [:]
    final Map<String, Object> globals = [:]
    final List<StepCall> calls = []
    /** CPS mismatches, wrong step parameters, what is not serialisable: not to be swallowed by a catch, so every run that has one fails at its end. */
    final List<String> problems = []
    final List<Integer> sizes = []
    private static final int MOST_STEPS = 1500
    Throwable failure
    /** Restarts the controller at every step: the saved program is loaded with classes of its own, which are initialised again. */
    boolean restarting
    private ProgramLoader loader
    private final Invoker invoker
    private List<Continuable> stack = []
    private List held = []
    private int depth = 0
    private List<Class> categories

    /** @param trusted a global library, which runs outside of the sandbox */
    CpsHarness(List<File> libDirs, boolean trusted = false) {
        current = this
        CompilerConfiguration cc = new CompilerConfiguration()
        ImportCustomizer ic = new ImportCustomizer()
        ic.addImports('com.cloudbees.groovy.cps.NonCPS', 'harness.Library')
        cc.addCompilationCustomizers(ic, trusted ? new CpsTransformer() : new UntrustedTransformer())
        invoker = trusted ? new DefaultInvoker() : new SandboxInvoker()
        cc.scriptBaseClass = HarnessScript.name
        loader = ProgramLoader.of(libDirs, cc, trusted)
        Sandbox.enter(trusted)
        categories = Continuable.categories + [SerializableIterators]
        CpsCallableInvocation.registerMismatchHandler(new Mismatch())
        for (File d in libDirs) {
            for (File f in (new File(d, 'vars').listFiles() ?: [] as File[]).findAll { it.name.endsWith('.groovy') }.sort()) {
                String n = f.name - '.groovy'
                globals[n] = loader.loadClass(n).newInstance()
            }
        }
        variables.putAll([env: [:], params: [:], currentBuild: new Build()])
        Signatures.ALL.keySet().each { steps[it] = { StepCall c -> c.body ? runBody(c.body) : null } }
        Signatures.VALUES.keySet().each { steps[it] = { StepCall c -> c.named } }
        steps.libraryResource = { StepCall c ->
            InputStream s = loader.getResourceAsStream((c.named.resource ?: c.first).toString())
            if (!s) { throw new AbortException("No such library resource ${c.first} could be found.") }
            c.named.encoding == 'Base64' ? s.bytes.encodeBase64().toString() : s.getText('UTF-8')
        }
        steps.sh = { StepCall c -> c.named.returnStatus ? 0 : (c.named.returnStdout ? 'out\n' : null) }
        steps.error = { StepCall c -> throw new AbortException((c.named.message ?: c.first).toString()) }
        steps.unstable = { StepCall c -> build.result = 'UNSTABLE'; null }
        steps.catchError = { StepCall c ->
            try { runBody(c.body) } catch (Exception e) {
                if (c.named.catchInterruptions == false && e instanceof FlowInterruptedException) { throw e }
                build.result = e instanceof FlowInterruptedException ? FlowInterruptedException.outcomeOf(e) : (c.named.buildResult ?: 'FAILURE')
                null
            }
        }
        steps.node = { StepCall c -> withEnv([WORKSPACE: '/ws', NODE_NAME: c.body.is(c.first) ? '' : c.first.toString()]) { runBody(c.body) } }
        steps.withEnv = { StepCall c -> withEnv(c.first.collectEntries { int i = it.indexOf('='); [(it.substring(0, i)): it.substring(i + 1)] }) { runBody(c.body) } }
        steps.parallel = { StepCall c -> // one branch after the other, in order
            int id = c.first.values().any { it instanceof CpsClosure } ? hold(c.first) : -1 // an interpreter's own branches are no part of the program
            Closure branches = { (Map) (id < 0 ? c.first : held(id)) }
            Map results = [:]
            Throwable first = null
            for (String name in new ArrayList(c.named.keySet() - 'failFast')) {
                if (first && branches().failFast) { break }
                try { results[name] = runBody((Closure) branches()[name]) } catch (Throwable t) { first = first ?: t }
            }
            if (first) { throw first }
            return results
        }
    }

    /** What Jenkins would not even start. */
    RuntimeException refused(Object what) { problems << what.toString(); new IllegalArgumentException(what.toString()) }

    GroovyClassLoader getLoader() { loader }

    Build getBuild() { (Build) variables.currentBuild }

    /** What the test keeps of the program while the program runs: saved and restored with it, so that it stays one graph. */
    int hold(Object o) { held << o; held.size() - 1 }
    Object held(int id) { held[id] }

    Object withEnv(Map<String, ?> overrides, Closure body) {
        Map before = overrides.keySet().collectEntries { [(it): variables.env[it]] }
        overrides.each { k, v -> if (v.toString()) { variables.env[k] = v.toString() } else { variables.env.remove(k) } }
        try { return body.call() } finally { before.each { k, v -> if (v == null) { variables.env.remove(k) } else { variables.env[k] = v } } }
    }

    /** The build as Jenkins runs it: its result; what ended it is in `failure`. */
    String build(File jenkinsfile) {
        failure = null
        try { runScript(jenkinsfile) } catch (AssertionError e) { throw e } catch (Throwable t) { failure = t }
        return failure ? Build.worse(build.currentResult, FlowInterruptedException.outcomeOf(failure)) : build.currentResult
    }

    /** One line a step, indented as the blocks are. */
    String getCallStack() { calls.collect { '  ' * it.depth + it.toString().readLines()[0] }.join('\n') }

    Object global(String n) { globals[n] }
    Object variable(String n) { variables.containsKey(n) ? variables[n] : (globals.containsKey(n) ? globals[n] : (variables.env[n] ?: variables.params[n])) }

    Object runScript(File f) {
        Script s = (Script) loader.program(f).newInstance()
        return checked { drive(new Continuable(s, Envs.empty(invoker))) }
    }

    Object callGlobal(String name, Object... args) {
        Object g = globals[name]
        return checked { runCps { InvokerHelper.getMetaClass(g).invokeMethod(g, 'call', args) } }
    }

    private Object checked(Closure run) {
        try { return run.call() } finally { if (problems) { throw new AssertionError((Object) "${problems.size()} problem(s):\n  ${problems.join('\n  ')}") } }
    }

    Object runBody(Closure body, Object... args) { runCps { body.call(args) } }

    /** Runs a step: for the program (from drive) and for an interpreter on top of it, as Declarative is. */
    Object step(StepCall call) {
        Closure impl = steps[call.name]
        if (impl == null) { throw new NoSuchMethodError("No such DSL method '${call.name}' found among steps ${steps.keySet().sort()}") }
        String problem = Signatures.problem(call)
        if (problem) { problems << problem }
        if (Signatures.IN_NODE.containsKey(call.name) && !variables.env.WORKSPACE) {
            throw new IllegalStateException("Required context class hudson.FilePath is missing: ${call.name} outside node") // MissingContextVariableException
        }
        depth++
        try { return impl.call(call) } finally { depth-- }
    }
    Object step(String name, Object... args) {
        StepCall call = new StepCall(name, args.toList())
        call.depth = depth
        calls << call
        return step(call)
    }

    private Object runCps(Closure c) {
        CpsCallableInvocation inv
        try { return c.call() } catch (CpsCallableInvocation e) { inv = e }
        return drive(new Continuable(inv.asBlock(), Envs.empty(invoker)))
    }

    private Object drive(Continuable first) {
        stack << first
        int me = stack.size() - 1
        Outcome resume = new Outcome(null, null)
        try {
            while (true) {
                Outcome o = stack[me].run0(resume, categories)
                if (!stack[me].isResumable()) {
                    return o.replay()
                }
                if (o.isFailure()) { throw o.abnormal }
                StepCall call = (StepCall) o.normal
                call.depth = depth
                calls << call
                if (calls.size() > MOST_STEPS) { throw new NotLoadedError("endless: more than ${MOST_STEPS} steps", null) }
                call = checkpoint(call)
                try {
                    resume = new Outcome(step(call), null)
                } catch (CpsCallableInvocation | NotLoadedError e) {
                    throw e
                } catch (Throwable t) {
                    resume = new Outcome(null, t)
                }
            }
        } finally {
            while (stack.size() > me) { stack.remove(stack.size() - 1) }
        }
    }

    /** What a restart of the controller between two steps does to the program. */
    private StepCall checkpoint(StepCall call) {
        ByteArrayOutputStream b = new ByteArrayOutputStream()
        List back
        try {
            Sandbox.storing { new ObjectOutputStream(b).withCloseable { it.writeObject([stack, call, globals, variables, held]) } }
        } catch (NotSerializableException e) {
            problems << "not serialisable at step ${call}: ${e.message} (a local held across the step?)".toString()
            return call
        } catch (ExceptionInInitializerError e) {
            throw new NotLoadedError("Failed to save program at step ${call}", e)
        }
        sizes << b.size()
        if (restarting) { loader = loader.fresh() }
        try {
            back = Sandbox.storing { (List) new ProgramInput(new ByteArrayInputStream(b.toByteArray()), loader).readObject() }
        } catch (ExceptionInInitializerError e) {
            throw new NotLoadedError("Failed to load program at step ${call}", e)
        }
        stack.clear(); stack.addAll((List) back[0])
        globals.clear(); globals.putAll((Map) back[2])
        variables.clear(); variables.putAll((Map) back[3])
        held.clear(); held.addAll((List) back[4])
        return (StepCall) back[1]
    }
}
