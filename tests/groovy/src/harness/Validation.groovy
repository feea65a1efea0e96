package harness

import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.builder.AstBuilder
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.control.CompilePhase

/** What Jenkins refuses of a Declarative pipeline before the build begins. */
class Validation {
    /** Unknown sections, and what is no call outside `script {}`: if, for, def, assignments. Not seen: a pipeline that a step of the library holds. */
    static void validate(File jenkinsfile) {
        List<String> found = []
        List<ASTNode> nodes = new AstBuilder().buildFromString(CompilePhase.CONVERSION, false, jenkinsfile.getText('UTF-8'))
        for (Statement st in ((BlockStatement) nodes[0]).statements) {
            if (asCall(st)?.methodAsString == 'pipeline') { block(asCall(st), 'pipeline', found) }
        }
        if (found) { throw new IllegalArgumentException("${jenkinsfile.name}: ${found.join('; ')}") }
    }
    private static MethodCallExpression asCall(Statement st) {
        st instanceof ExpressionStatement && st.expression instanceof MethodCallExpression ? (MethodCallExpression) st.expression : null
    }
    /** @param section null inside steps */
    private static void block(MethodCallExpression owner, String section, List<String> found) {
        if (owner.methodAsString in ['script', 'expression', 'environment'] || !(owner.arguments instanceof TupleExpression)) { return }
        owner.arguments.expressions.findAll { it instanceof ClosureExpression }.each { ClosureExpression c ->
            (c.code instanceof BlockStatement ? c.code.statements : [c.code]).each { Statement st ->
                MethodCallExpression m = asCall(st)
                String name = m?.methodAsString
                if (m == null || !m.implicitThis) {
                    found << "line ${st.lineNumber}: expected a step or section, found ${st.class.simpleName - 'Statement'} (only inside script {})".toString()
                } else if (Declarative.TAKES[section] && !(name in Declarative.TAKES[section])) {
                    found << "line ${st.lineNumber}: Undefined section \"${name}\" in ${section}; it takes ${Declarative.TAKES[section]}".toString()
                } else {
                    block(m, section == null || section == 'steps' || section in Declarative.POST ? null : name, found)
                }
            }
        }
    }
}
