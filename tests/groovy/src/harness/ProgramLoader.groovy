package harness

import com.cloudbees.groovy.cps.CpsTransformer
import com.cloudbees.groovy.cps.sandbox.Untrusted
import groovy.transform.CompileStatic
import org.codehaus.groovy.ast.ClassCodeExpressionTransformer
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.FieldNode
import org.codehaus.groovy.ast.MethodNode
import org.codehaus.groovy.ast.stmt.Statement
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilationUnit
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.control.Phases
import org.codehaus.groovy.control.SourceUnit
import org.kohsuke.groovy.sandbox.SandboxTransformer

/**
 * Compiles as Jenkins does for a script in the sandbox: groovy-cps' SandboxCpsTransformer, whose published version asks for a
 * groovy-sandbox that is not published.
 */
@CompileStatic
class UntrustedTransformer extends CpsTransformer {
    private final SandboxTransformer sandbox = new SandboxTransformer()
    private ClassCodeExpressionTransformer checks
    void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        if (type.isInterface()) { return }
        checks = sandbox.createVisitor(source, type)
        super.call(source, context, type)
    }
    protected void processConstructors(ClassNode type) { sandbox.processConstructors(checks, type) }
    protected void visitNontransformedMethod(MethodNode m) { checks.visitMethod(m) }
    protected void visitNontransformedField(FieldNode f) { checks.visitField(f) }
    protected void visitNontransformedStatement(Statement s) { s.visit(checks) }
    protected Class getTrustTag() { Untrusted }
}

/** The classes of one program, compiled once; a controller that restarts defines them anew. */
@CompileStatic
class ProgramLoader extends GroovyClassLoader {
    private final Map<String, byte[]> compiled
    private final CompilerConfiguration configuration
    private final List<File> libraries
    /** Libraries compiled before, by their folders. */
    private static final Map<List, Map<String, byte[]>> COMPILED = new HashMap<List, Map<String, byte[]>>()

    private ProgramLoader(Map<String, byte[]> compiled, CompilerConfiguration configuration, List<File> libraries) {
        super(ProgramLoader.classLoader, configuration)
        this.compiled = compiled
        this.configuration = configuration
        this.libraries = libraries
        for (File library in libraries) { addURL(new File(library, 'resources').toURI().toURL()) }
    }

    static ProgramLoader of(List<File> libraries, CompilerConfiguration configuration, boolean trusted) {
        List key = [libraries, trusted]
        if (!COMPILED.containsKey(key)) {
            ProgramLoader loader = new ProgramLoader(new HashMap<String, byte[]>(), configuration, libraries)
            for (File library in libraries) {
                loader.compile(sources(new File(library, 'src')))
                for (File source in sources(new File(library, 'vars'))) { loader.compile([source]) } // as Jenkins: none sees another as a class
            }
            COMPILED[key] = loader.compiled
        }
        return new ProgramLoader(new HashMap<String, byte[]>(COMPILED[key]), configuration, libraries)
    }

    private static List<File> sources(File folder) {
        List<File> found = []
        if (folder.directory) { folder.eachFileRecurse { File f -> if (f.name.endsWith('.groovy')) { found << f } } }
        return found.sort()
    }

    private void compile(List<File> sources) {
        if (!sources) { return }
        CompilationUnit unit = new CompilationUnit(configuration, null, this)
        unit.addSources(sources as File[])
        finish(unit)
    }

    /** Compiles a Jenkinsfile: its class. */
    Class program(File file) {
        CompilationUnit unit = new CompilationUnit(configuration, null, this)
        String name = file.name.replaceAll(/\W/, '_')
        unit.addSource(name + '.groovy', file.getText('UTF-8'))
        finish(unit)
        return loadClass(name)
    }

    private void finish(CompilationUnit unit) {
        unit.compile(Phases.CLASS_GENERATION)
        for (groovyClass in unit.classes) {
            org.codehaus.groovy.tools.GroovyClass made = (org.codehaus.groovy.tools.GroovyClass) groovyClass
            compiled[made.name] = made.bytes
        }
    }

    /** The same classes, none of them loaded yet. */
    ProgramLoader fresh() { new ProgramLoader(compiled, configuration, libraries) }

    protected Class<?> findClass(String name) throws ClassNotFoundException {
        byte[] bytes = compiled[name]
        return bytes == null ? super.findClass(name) : defineClass(name, bytes)
    }
}
