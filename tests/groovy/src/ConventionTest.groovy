import groovy.json.JsonSlurper
import harness.*
import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.builder.AstBuilder
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.BlockStatement
import org.codehaus.groovy.ast.stmt.ExpressionStatement
import org.codehaus.groovy.control.CompilePhase
import org.junit.Test

/** What holds for all steps: help that names every parameter, and parameters that are the command line's options. */
class ConventionTest {
    static final CpsHarness HARNESS = new CpsHarness([new File('.')])
    static final Class PARAMETERS = HARNESS.loader.loadClass('ecspipeline.Parameters')
    static final List<String> STEPS = new File('vars').list().findAll { it.endsWith('.groovy') }.collect { it - '.groovy' }.sort()

    /** Options of the command line, by command, as click has them. */
    static Map<String, List<String>> commandLine() {
        String program = '''
import json
from ecs_pipeline.cli.commands.main import cli
print(json.dumps({name: [one.opts[0].lstrip("-") for one in command.params] for name, command in cli.commands.items()}))
'''
        Process p = [System.getProperty('ecs-pipeline.python'), '-c', program].execute()
        StringBuilder out = new StringBuilder(), err = new StringBuilder()
        p.waitForProcessOutput(out, err)
        assert p.exitValue() == 0 : err
        return (Map) new JsonSlurper().parseText(out.toString())
    }

    @Test void theBridgeIsTheOnlyOneWhoTalksToTheShell() {
        (new File('vars').listFiles() + new File('src/ecspipeline').listFiles()).findAll { it.name.endsWith('.groovy') && it.name != 'CommandLine.groovy' }.each {
            assert !(it.text =~ /\b(sh|libraryResource|writeFile)\b *\(/) : it
        }
    }
    /** Jenkins lists every file of vars in its Global Variables Reference, with or without help. */
    @Test void whatIsNoStepIsNoGlobalVariable() {
        assert STEPS == ['Approve', 'Canary', 'Deploy', 'Judge', 'Promote', 'Provision', 'Prune', 'Rollback', 'Run', 'Status', 'Validate'].collect { 'ecs' + it }
        STEPS.each { assert new File("vars/${it}.txt").exists() && new File("vars/${it}.groovy").readLines().size() < 20 : it }
    }
    @Test void everyStepHasPlainHelpForExactlyItsParameters() {
        STEPS.each { String step ->
            String help = new File("vars/${step}.txt").getText('UTF-8')
            assert !(help =~ /[<>&]/) : step
            List<String> block = help.split('Parameters, all optional:\n')[1].split('\n\n')[0].readLines()
            assert block.every { it ==~ /[a-zA-Z]+ - \S.*/ } : "${step}: ${block}"
            assert block.collect { it.tokenize(' ')[0] } as Set == PARAMETERS.steps()[step].keySet() as Set : step
            assert help.contains(step + '(') && help.readLines().every { it.length() <= 140 } : step
        }
        assert PARAMETERS.steps().keySet() as Set == STEPS as Set
    }
    /** The default id is made in engine/origin.py; the help shows one that has its form. */
    @Test void theHelpKnowsTheFormOfAReleaseId() {
        String made = new File('python/ecs_pipeline/engine/origin.py').text.find(/something unique: (\S+)\.\n/) { it[1] }
        assert made ==~ /\d{8}-\d{6}-\w{7}-\w{5}/
        ['ecsCanary', 'ecsDeploy'].each { assert new File("vars/${it}.txt").text.contains("default: UTC time, commit and something unique: ${made}\n") : it }
    }
    @Test void everyStepChecksItsParametersFirst() {
        String all = new File('src/ecspipeline').listFiles()*.text.join()
        STEPS.each { assert all.contains(".accepted('${it}', parameters)") && new File("vars/${it}.groovy").text.contains("Parameters.unnamed('${it}', given)") : it }
    }
    /**
     * Missing on purpose: a step returns what the command line would print, and none watches what an agent is held for.
     * What judges recorded or simulated bakes is for a person who chooses tolerances.
     */
    static final List<String> LEFT_OUT = ['output', 'watch', 'help'] + ['replay', 'from', 'simulate', 'rate', 'regression', 'others', 'noise', 'tolerance', 'detect', 'confidence']
    @Test void parametersAreTheOptionsOfTheCommandLine() {
        Map<String, List<String>> options = commandLine()
        PARAMETERS.commands().each { command ->
            assert PARAMETERS.optionsOf(command).keySet().collect { PARAMETERS.optionName(it).replace('_', '-') } as Set == (options[command] - LEFT_OUT) as Set : command
        }
        Map steps = [canary: 'ecsCanary', promote: 'ecsPromote', rollback: 'ecsRollback', status: 'ecsStatus', judge: 'ecsJudge', provision: 'ecsProvision',
                     validate: 'ecsValidate', run: 'ecsRun', prune: 'ecsPrune']
        steps.each { command, step ->
            Set ours = PARAMETERS.steps()[step].keySet().findAll { !(it in ['agent', 'executable', 'anyRelease', 'validate']) }.collect { it.replaceAll(/([A-Z])/) { m -> '-' + m[1].toLowerCase() } } as Set
            assert ours == (options[command] - LEFT_OUT) as Set : command
        }
        Set common = options.status - LEFT_OUT as Set
        assert PARAMETERS.optionsOf('status').keySet().collect { PARAMETERS.optionName(it).replace('_', '-') } as Set == common
    }
    /** Controllers read them in the encoding of their machine. */
    @Test void theLibraryIsWrittenInAscii() {
        (new File('vars').listFiles() + new File('src/ecspipeline').listFiles()).each { File f -> assert f.getText('UTF-8').every { (it as char) < 128 } : f.name }
    }
    /**
     * A saved program that names a class initialises it while it is loaded, where the sandbox allows nothing of the library's own:
     * an initialiser that calls or reads anything ends the build ("Failed to load program").
     */
    @Test void staticFieldsAreLiterals() {
        (new File('vars').listFiles() + new File('src/ecspipeline').listFiles()).findAll { it.name.endsWith('.groovy') }.each { File f ->
            assert notLiteral(f.getText('UTF-8')) == [] : f.name
        }
        ['class A { static int B = 1; static Map M = [a: B] }', 'class A { static Map M = [a: 1] + [b: 2] }', "import groovy.transform.Field\n@Field static List L = ['a'.trim()]",
         'class A { static { println 1 } }', "class A { static String S = \"\${1}\" }"].each { assert notLiteral(it) : it }
    }
    private static List<String> notLiteral(String text) {
        List<ASTNode> nodes = new AstBuilder().buildFromString(CompilePhase.CONVERSION, false, text)
        List<ClassNode> types = nodes.findAll { it instanceof ClassNode }
        List<String> found = types.collectMany { it.fields }.findAll { it.static && !literal(it.initialExpression) }*.name
        found += types.collectMany { it.methods }.findAll { it.name == '<clinit>' }*.name
        nodes.findAll { it instanceof BlockStatement }.each { BlockStatement block ->
            found += block.statements.findAll { it instanceof ExpressionStatement && it.expression instanceof DeclarationExpression && !literal(it.expression.rightExpression) }*.text
        }
        return found
    }
    private static boolean literal(Expression e) {
        if (e == null || e instanceof ConstantExpression) { return true }
        if (e instanceof MapExpression) { return e.mapEntryExpressions.every { literal(it.keyExpression) && literal(it.valueExpression) } }
        return e instanceof ListExpression && e.expressions.every { literal(it) }
    }
    @Test void classesOfTheLibraryAreSerializable() {
        new File('src/ecspipeline').list().each { assert Serializable.isAssignableFrom(HARNESS.loader.loadClass("ecspipeline.${it - '.groovy'}")) : it }
    }
}
