package ecspipeline

/** What a step shows in the log beside what the command line says. */
class Shown implements Serializable {

    private static final long serialVersionUID = 1L

    /** Shows what a dry run would do, and returns its result. */
    static Map plan(Object steps, String step, Map parameters, Map result) {
        if (parameters.dryRun) {
            List<String> lines = ["${step}: dry run of ${result.cluster}/${result.service}: this would be done".toString()]
            for (Object line in (List) (result.plan ?: [])) { lines << '  ' + Text.line(line) }
            if (lines.size() == 1) { lines << '  nothing' }
            for (Object line in (List) (result.changes ?: [])) { lines << '  change: ' + Text.line(line) }
            steps.echo(lines.join('\n'))
        }
        return result
    }
}
