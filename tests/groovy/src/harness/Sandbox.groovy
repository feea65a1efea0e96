package harness

import groovy.transform.CompileStatic
import org.codehaus.groovy.runtime.ScriptBytecodeAdapter
import org.kohsuke.groovy.sandbox.GroovyInterceptor

/** What script-security throws. */
class RejectedAccessException extends SecurityException {
    RejectedAccessException(String what) { super('Scripts not permitted to use ' + what) }
}

/**
 * The sandbox of an untrusted (folder-level) library: Jenkins' own interceptor, with the calls that were seen to pass.
 * While a program is saved or loaded not even the library's own classes are allowed: workflow-support's RiverReader and
 * CpsThreadGroup.saveProgram enter the sandbox without the loaders of the running script (SandboxContinuable has them).
 */
@CompileStatic
class Sandbox extends GroovyInterceptor {
    static final Set<String> METHODS = '''collect find findAll any every each eachWithIndex inject join collectEntries subMap sort getOrDefault
        trim take split tokenize replaceAll padRight stripIndent readLines format toInteger intValue toString last
        parseText toList contains containsKey startsWith endsWith substring charAt length size isEmpty replace indexOf codePointAt intdiv toLowerCase toUpperCase keySet entrySet values put get add
        '''.split() as Set
    static final Map<String, List<String>> STATIC = [
        JsonOutput: ['toJson', 'prettyPrint'], Math: ['min', 'max', 'floor'], String: ['format', 'join'], System: ['currentTimeMillis'], Collections: ['unmodifiableMap'],
    ]
    static final Set<String> CONSTRUCTED = ['JsonSlurper', 'ArrayList', 'HashSet', 'Date', 'Exception', 'GStringImpl'] as Set
    /** What operators, closures and iteration become; `GString.plus` and `in` are refused by SandboxTest, which sees the source. */
    static final Set<String> LANGUAGE = '''plus minus multiply div mod next previous leftShift getAt putAt compareTo equals isCase call iterator hasNext next getKey getValue
        asType asBoolean negative positive power and or xor asList isInstance'''.split() as Set

    private static final Sandbox INSTANCE = new Sandbox()
    private boolean storing

    /** For a trusted (global) library there is none. */
    static void enter(boolean trusted) {
        INSTANCE.unregister()
        if (!trusted) { INSTANCE.register() }
    }
    static <T> T storing(Closure<T> body) {
        INSTANCE.storing = true
        try { return body.call() } finally { INSTANCE.storing = false }
    }

    private static boolean own(Class type) { type.classLoader instanceof ProgramLoader || type.classLoader?.parent instanceof ProgramLoader }
    private void check(boolean own, boolean allowed, String what) {
        if (own ? storing : !allowed) {
            RejectedAccessException refused = new RejectedAccessException(what)
            CpsHarness.current.problems.add(refused.message) // a caught one files a request with the administrators, too
            throw refused
        }
    }

    Object onMethodCall(GroovyInterceptor.Invoker invoker, Object receiver, String method, Object... args) throws Throwable {
        Class type = receiver.class
        check(own(type) || receiver instanceof GroovyObject, METHODS.contains(method) || LANGUAGE.contains(method), "method ${type.name} ${method}")
        return super.onMethodCall(invoker, receiver, method, args)
    }
    Object onStaticCall(GroovyInterceptor.Invoker invoker, Class receiver, String method, Object... args) throws Throwable {
        boolean operator = receiver == ScriptBytecodeAdapter || receiver.name.startsWith('com.cloudbees.groovy.cps.Cps') // the GDK's methods that take closures, for CPS
        check(own(receiver), operator || (STATIC[receiver.simpleName]?.contains(method) ?: false), "staticMethod ${receiver.name} ${method}")
        return super.onStaticCall(invoker, receiver, method, args)
    }
    Object onNewInstance(GroovyInterceptor.Invoker invoker, Class receiver, Object... args) throws Throwable {
        check(own(receiver), CONSTRUCTED.contains(receiver.simpleName), "new ${receiver.name}")
        return super.onNewInstance(invoker, receiver, args)
    }
    void onSuperConstructor(GroovyInterceptor.Invoker invoker, Class receiver, Object... args) throws Throwable {
        check(receiver == HarnessScript || receiver == Object || own(receiver), false, "super ${receiver.name}")
    }
    Object onGetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String property) throws Throwable {
        Class type = receiver instanceof Class ? (Class) receiver : receiver.class
        check(own(type), true, "${receiver instanceof Class ? 'staticMethod' : 'method'} ${type.name} get${property.capitalize()}")
        return super.onGetProperty(invoker, receiver, property)
    }
    Object onSetProperty(GroovyInterceptor.Invoker invoker, Object receiver, String property, Object value) throws Throwable {
        check(own(receiver.class), true, "method ${receiver.class.name} set${property.capitalize()}")
        return super.onSetProperty(invoker, receiver, property, value)
    }
}
