package ecspipeline

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonException
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** What a command reports, as plain maps that live over steps and restarts, and in words. Only its facts decide, never its messages. */
class Result implements Serializable {

    private static final long serialVersionUID = 1L

    static final int DONE = 0
    static final int FAILED = 1
    static final int INVALID = 2
    static final int REFUSED = 3
    static final int TROUBLE = 4
    static final int INCONCLUSIVE = 5

    private static final int LONGEST_REASON = 160

    @NonCPS
    static Map parse(String text) {
        return text ? (Map) plain(new JsonSlurper().parseText(text)) : [:]
    }

    @NonCPS
    private static Object plain(Object o) {
        if (o instanceof Map) {
            Map m = [:]
            for (e in ((Map) o).entrySet()) { m[e.key.toString()] = plain(e.value) }
            return m
        }
        if (o instanceof List) {
            List l = []
            for (x in ((List) o)) { l << plain(x) }
            return l
        }
        return o
    }

    /** JSON for an environment variable: a dollar sign would be taken for another variable's name. */
    @NonCPS
    static String json(Map map) {
        return JsonOutput.toJson(map).replace('$', '\\u0024')
    }

    /** What launch told of a call, with its exit code; empty when it is not of this call. See for_jenkins in tools/launch.sh. */
    @NonCPS
    static Map told(String text, String call, String command) {
        List<String> parts = Text.of(text).split('\n', 3).toList()
        if (parts.size() < 3 || !(parts[0] ==~ /\S+ \d{1,3}/) || !parts[0].startsWith(call + ' ')) { return [:] }
        String reason = parts[1]
        Map result = [stage: command, exit_code: parts[0].tokenize(' ')[1].toInteger()] + report(parts[2])
        return result.message || !reason ? result : result + [message: Text.line(reason)]
    }

    /** STAGE.json; empty when it is not whole. */
    @NonCPS
    private static Map report(String text) {
        try {
            return parse(text.trim())
        } catch (JsonException e) {
            return [:]
        }
    }

    /** Cluster, service and region that the command line resolved; empty when it did not come so far. */
    @NonCPS
    static Map names(Map result) {
        return result.cluster && result.service ? [cluster: result.cluster, service: result.service, region: Text.of(result.region)] : [:]
    }

    /** Whether a command was ended by a signal, or nobody knows how it ended. */
    @NonCPS
    static boolean aborted(int status) {
        return status < 0 || status > 128
    }

    /** Whether only a hook failed after the promotion or the rollback: what the command was to do is done. */
    @NonCPS
    static boolean hookFailed(Map result) {
        String step = Text.of(result.failed_step)
        return result.exit_code == TROUBLE && (step.startsWith('after_promote: ') || (result.stage == 'rollback' && step.startsWith('after_rollback: ')))
    }

    /** The command's own first line with the step that failed. */
    @NonCPS
    private static String firstLine(Map result) {
        String message = Text.line(result.message)
        return result.failed_step && message ? "${result.failed_step}: ${message}".toString() : message
    }

    /** The same for a description. */
    @NonCPS
    static String reason(Map result) {
        return Text.cut(firstLine(result), LONGEST_REASON) ?: 'see the log'
    }

    /** The line that becomes the build's error: the command's own first, then what to do. */
    @NonCPS
    static String failure(String stage, Map result, int status) {
        String end = "(ecs-pipeline ${stage}, exit ${status})"
        if (!result.message) { return "ecs-pipeline ${stage} ended with exit ${status} and no report: the lines before this say why".toString() }
        return "${firstLine(result)}${result.cure ? '; ' + Text.line(result.cure) : ''} ${end}".toString()
    }

    /** What the build's description says of a release; null when there is nothing new to say. */
    @NonCPS
    static String summary(String stage, Map result, int status, Map known) {
        String release = Text.of(result.release?.id) ?: Text.of(known.release) ?: 'release'
        if (stage == 'rollback') { return rollback(release, result, status, known) }
        if (aborted(status)) { return "${release} ${noun(stage)} aborted".toString() }
        String reason = reason(result)
        if (hookFailed(result)) { return "${release} promoted${approval(known)}, but a hook failed: ${reason}".toString() }
        if (stage == 'promote') { return promotion(release, reason, status, known) }
        String share = "${release} canary takes ${Text.number(result.canary?.share)} %"
        if (status == DONE) { return share.toString() }
        if (status == INCONCLUSIVE) { return "${share}, inconclusive: ${reason}".toString() }
        if (status == FAILED) { return "${release} failed and was rolled back: ${reason}".toString() }
        if (status == TROUBLE) { return "${release} canary in trouble: ${reason}".toString() }
        return "${status == REFUSED ? 'refused' : 'not started'}: ${reason}".toString()
    }

    @NonCPS
    private static String promotion(String release, String reason, int status, Map known) {
        if (status == DONE) { return "${release} promoted${approval(known)}".toString() }
        if (status == FAILED) { return "${release} not promoted, rolled back: ${reason}".toString() }
        return "${release} ${status == TROUBLE ? 'promotion in trouble' : 'not promoted'}: ${reason}".toString()
    }

    @NonCPS
    private static String rollback(String release, Map result, int status, Map known) {
        if (aborted(status)) { return "${release} rollback aborted: ${reason(result)}; the next run resolves it".toString() }
        if (hookFailed(result)) { return "${release} rolled back, but a hook failed: ${reason(result)}".toString() }
        if (status != DONE) { return "${release} not rolled back: ${reason(result)}; the next run resolves it".toString() }
        if (result.changed) { return "${release} rolled back${known.why ? ' (' + known.why + ')' : ''}".toString() }
        if (!known.stage) { return 'nothing to roll back' }
        return State.settled(known) ? null : "${release} was gone already${known.why ? ' (' + known.why + ')' : ''}".toString()
    }

    @NonCPS
    private static String noun(String stage) {
        return stage == 'promote' ? 'promotion' : stage
    }

    /** ", approved by jane: known gap". */
    @NonCPS
    static String approval(Map known) {
        Map said = (Map) (known.approval ?: [:])
        if (!said.by && !said.comment) { return '' }
        String comment = Text.cut(said.comment, LONGEST_REASON)
        return ", approved by ${said.by ?: 'somebody unnamed'}${comment ? ': ' + comment : ''}".toString()
    }

    /** A description with one service's part replaced; what others wrote stays. `page` is an address: a markup formatter may show links as text. */
    @NonCPS
    static String described(String description, List<String> labels, String summary, String page) {
        List<String> parts = []
        for (String part in Text.of(description).split('; ')) {
            boolean ours = false
            for (String label in labels) { ours = ours || part.startsWith(label + ': ') }
            if (part && !ours) { parts << part }
        }
        parts << "${labels[0]}: ${Text.plain(summary)}${page ? ', report: ' + Text.plain(page) : ''}".toString()
        return parts.join('; ')
    }
}
