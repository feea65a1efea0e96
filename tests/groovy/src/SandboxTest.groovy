import harness.Sandbox
import harness.Signatures
import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.CodeVisitorSupport
import org.codehaus.groovy.ast.MethodNode
import org.codehaus.groovy.ast.builder.AstBuilder
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.CatchStatement
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.syntax.Types
import org.junit.Test

/** A folder-level library runs in the sandbox: it may call only what was seen to pass there, on a real Jenkins. */
class SandboxTest {
    static final Set<String> CAUGHT = ['Exception', 'JsonException', 'java.lang.Exception', 'Object', 'java.lang.Object', 'AbortException', 'FlowInterruptedException', 'NoSuchMethodError', 'java.lang.NoSuchMethodError'] as Set
    static final Set<String> OF_THE_BUILD = ['result', 'currentResult', 'description', 'displayName', 'number', 'absoluteUrl', 'buildCauses', 'previousBuild'] as Set
    static final Set<String> NEVER = ['metaClass', 'rawBuild', 'binding', 'causes', 'stackTrace', 'suppressed', 'class', 'properties'] as Set

    static final List<String> OWN_CLASSES = new File('src/ecspipeline').list().toList()*.replace('.groovy', '')
    /** Fields and locals that hold objects of these classes. */
    static final List<String> OWN_OBJECTS = ['commandLine', 'memory', 'reports']
    static final List<String> GLOBALS = new File('vars').list().findAll { it.endsWith('.groovy') }*.replace('.groovy', '')

    static class Calls extends CodeVisitorSupport {
        final List<String> found = []
        Set<String> own
        private static String last(String text) { text.tokenize('.').last() }
        private void refuse(ASTNode node, String what) { found << "line ${node.lineNumber}: ${what}".toString() }

        void visitMethodCallExpression(MethodCallExpression call) {
            super.visitMethodCallExpression(call)
            String name = call.methodAsString, on = call.objectExpression.text
            if (call.spreadSafe) { refuse(call, "*.${name}: does not compile in CPS") }
            if (name == null) { return }
            if (call.objectExpression instanceof GStringExpression && name != 'toString') { refuse(call, "text with a value in it .${name}(): toString() first") }
            if (call.implicitThis) {
                if (!(name in own) && !Signatures.ALL.containsKey(name) && !(name in GLOBALS)) { refuse(call, "${name}(): neither a step nor a method of this file") }
            } else if (on in OWN_CLASSES || on in GLOBALS || call.objectExpression instanceof ConstructorCallExpression || last(on) in OWN_OBJECTS) {
                return
            } else if (last(on) == 'steps') {
                if (!Signatures.ALL.containsKey(name) && !(name in GLOBALS)) { refuse(call, "steps.${name}: no step") }
            } else if (call.objectExpression instanceof VariableExpression && Character.isUpperCase(on.charAt(0)) && on != on.toUpperCase()) {
                if (!(name in Sandbox.STATIC[on])) { refuse(call, "${on}.${name}") }
            } else if (!(name in Sandbox.METHODS)) {
                refuse(call, ".${name}()")
            }
            boolean closure = call.arguments instanceof TupleExpression && call.arguments.expressions.any { it instanceof ClosureExpression }
            if (name in ['sort', 'toSorted'] && closure) { refuse(call, ".${name} { }: returns a wrong value in CPS") }
        }
        void visitConstructorCallExpression(ConstructorCallExpression call) {
            super.visitConstructorCallExpression(call)
            if (!(call.type.nameWithoutPackage in Sandbox.CONSTRUCTED + OWN_CLASSES)) { refuse(call, "new ${call.type.name}") }
        }
        void visitPropertyExpression(PropertyExpression p) {
            super.visitPropertyExpression(p)
            String name = p.propertyAsString, on = p.objectExpression.text
            if (p.spreadSafe) { refuse(p, "*.${name}") }
            if (name in NEVER) { refuse(p, ".${name}") }
            if (last(on) in ['currentBuild', 'build'] && !(name in OF_THE_BUILD)) { refuse(p, "${on}.${name}") }
            if (on in ['e', 'x', 'cause'] && !(name in ['message', 'cause', 'value', 'key'])) { refuse(p, "${on}.${name}") }
        }
        void visitBinaryExpression(BinaryExpression b) {
            super.visitBinaryExpression(b)
            if (b.operation.type == Types.LEFT_SQUARE_BRACKET && last(b.leftExpression.text) == 'env') { refuse(b, 'env[…]') }
            if (b.operation.type == Types.MINUS && [b.leftExpression, b.rightExpression].any { it instanceof MapExpression || it instanceof ListExpression }) { refuse(b, 'minus of maps or lists') }
            if (b.operation.type in [Types.PLUS, Types.PLUS_EQUAL] && b.rightExpression instanceof ListExpression) { refuse(b, 'plus of lists') }
            if (b.operation.type == Types.PLUS && b.leftExpression instanceof GStringExpression) { refuse(b, 'GString.plus: only that of a String is allowed') }
            if (b.operation.type == Types.KEYWORD_IN) { refuse(b, 'in') }
        }
        void visitMethodPointerExpression(MethodPointerExpression p) { refuse(p, '.&') }
        void visitCatchStatement(CatchStatement c) {
            super.visitCatchStatement(c)
            if (!(c.variable.type.name in CAUGHT)) { refuse(c, "catch ${c.variable.type.name}") }
        }
    }

    static List<String> refusals(String text) {
        List<ASTNode> nodes = new AstBuilder().buildFromString(CompilePhase.CONVERSION, false, text)
        List<MethodNode> methods = nodes.findAll { it instanceof ClassNode }.collectMany { ((ClassNode) it).methods }.findAll { it.name != 'main' }
        Set<String> own = methods*.name + methods.collectMany { it.parameters.findAll { it.type.name == 'Closure' }*.name } as Set
        Calls calls = new Calls(own: own)
        methods.each { it.code?.visit(calls) }
        nodes.findAll { it instanceof ClassNode }.collectMany { ((ClassNode) it).fields }.each { it.initialExpression?.visit(calls) }
        return calls.found
    }

    @Test void theLibraryCallsOnlyWhatTheSandboxAllows() {
        Map<String, List<String>> found = [:]
        (new File('vars').listFiles() + new File('src/ecspipeline').listFiles()).findAll { it.name.endsWith('.groovy') }.each { File f ->
            List<String> refused = refusals(f.getText('UTF-8'))
            if (refused) { found[f.name] = refused }
        }
        assert !found : found.collect { k, v -> "${k}: ${v.join(', ')}" }.join('\n')
    }
    @Test void whatTheSandboxRefusesIsFound() {
        ['def call() { currentBuild.rawBuild }', 'def call() { Jenkins.get() }', 'def call() { new LinkedHashMap() }', 'def call(l) { l*.trim() }', 'def call(l) { l.withIndex() }',
         'def call() { env["X"] }', 'def call() { System.getenv("X") }', 'def call() { Thread.sleep(1) }', 'def call() { new File("x") }', 'def call() { new TreeMap([:]) }',
         'def call() { try { sh "x" } catch (e) { e.stackTrace } }', 'def call() { this.metaClass }', 'def call() { this.&call }', 'def call(l) { l.sort { it } }', 'def call(s) { s.encodeBase64() }',
         'def call() { currentBuild.duration }', 'def call() { steps.currentBuild.rawBuild }', 'def call() { steps.env["X"] }', 'def call() { steps.unknown() }', 'def call() { unknownStep() }', 'def call(a, b) { Objects.equals(a, b) }', 'def call() { try { sh "x" } catch (Throwable e) { } }',
         'def call() { throw new IllegalArgumentException("x") }', 'def call(m) { m - [a: 1] }', 'def call(a) { "${a}" + "${a}" }', 'def call(a) { "${a}".trim() }',
        ].each { assert refusals(it) : it }
        ['def call() { currentBuild.previousBuild.number; sh "x"; ecsStatus() }', 'def call(Map m) { m.subMap(["a"]); m + [a: 1]; "x".tokenize("/").join(",") }'].each { assert !refusals(it) : it }
    }
}
