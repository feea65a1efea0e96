package ecspipeline

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** What a command reports, as plain maps that live over steps and restarts, and in words. */
class Result implements Serializable {

    private static final long serialVersionUID = 1L

    static final int DONE = 0
    static final int FAILED = 1
    static final int INVALID = 2
    static final int REFUSED = 3
    static final int INCONCLUSIVE = 5

    private static final int MOST_CHECKS = 20
    private static final int MOST_LETTERS = 200

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

    /** What an approver is shown: all that matters of canary.json, small enough for an environment variable. */
    @NonCPS
    static Map evidence(Map result, String reports, String commit) {
        List<Map> checks = []
        for (Object one in (List) (result.checks ?: [])) {
            if (checks.size() < MOST_CHECKS) {
                String message = Parameters.text(one.message).take(MOST_LETTERS)
                checks << [name: one.name, verdict: one.verdict, message: message]
            }
        }
        Map release = (Map) (result.release ?: [:])
        return [
            release: release.id, image: release.image, commit: result.commit ?: commit, cluster: result.cluster, service: result.service,
            region: result.region, share: result.canary?.share, outcome: result.outcome, checks: checks, reports: reports,
            message: Parameters.text(result.message).take(MOST_LETTERS),
        ]
    }

    /** The same from what `status` says of a live canary; empty without one. */
    @NonCPS
    static Map evidenceOfStatus(Map status) {
        Map canary = (Map) (status.canary ?: [:])
        if (!canary) { return [:] }
        return [
            release: canary.release, image: canary.image, commit: canary.commit, cluster: status.cluster, service: status.service, share: canary.share,
            outcome: canary.verdict == 'inconclusive' ? 'inconclusive' : (canary.verdict ? 'passed' : 'no verdict'),
            checks: [], message: '',
        ]
    }

    /** The evidence, a line each. */
    @NonCPS
    static List<String> lines(Map evidence) {
        List<String> found = ["release ${evidence.release} of ${evidence.cluster}/${evidence.service}".toString()]
        if (evidence.image) { found << "image   ${evidence.image}".toString() }
        if (evidence.commit) { found << "commit  ${evidence.commit}".toString() }
        if (evidence.share != null) { found << "share   ${evidence.share} % of the traffic".toString() }
        found << "checks  ${verdicts(evidence)}".toString()
        for (Object one in (List) (evidence.checks ?: [])) {
            found << "        ${one.name}: ${one.verdict ?: 'not run'}${one.message ? ': ' + one.message : ''}".toString()
        }
        return found
    }

    /** The checks in one line. */
    @NonCPS
    static String verdicts(Map evidence) {
        List<String> wrong = []
        int passed = 0
        for (Object one in (List) (evidence.checks ?: [])) {
            if (one.verdict == 'pass') { passed++ } else { wrong << "${one.name} ${one.verdict ?: 'not run'}".toString() }
        }
        String all = Parameters.text(evidence.outcome)
        if (!passed && !wrong) { return all }
        return "${all} (${passed} passed${wrong ? ', ' + wrong.join(', ') : ''})".toString()
    }

    /** The line that becomes the build's error: the command's own first, then what to do. */
    @NonCPS
    static String failure(String stage, Map result, int status) {
        if (!result.message) {
            return "ecs-pipeline ${stage} ended with exit ${status} and no report: the lines before this say why".toString()
        }
        String cure = result.cure ? "; ${result.cure}" : ''
        return "${result.message}${cure} (ecs-pipeline ${stage}, exit ${status})".toString()
    }

    /** The line on stderr that says why `status` failed: it leaves no report. */
    @NonCPS
    static String lastWords(String log) {
        String found = ''
        for (String line in log.split('\n')) {
            if (line ==~ /ecs-pipeline( status)?: .*/) { found = line.replaceAll(/^ecs-pipeline( status)?: /, '') }
        }
        return found
    }

    /** What the build's description says of a release. */
    @NonCPS
    static String summary(String stage, Map result, int status) {
        String release = result.release?.id ?: 'no release'
        if (stage == 'canary' && status == DONE) { return "${release} canary ${result.canary?.share} %".toString() }
        if (stage == 'canary' && status == INCONCLUSIVE) { return "${release} canary ${result.canary?.share} %, inconclusive".toString() }
        if (stage == 'promote' && status == DONE) { return "${release} promoted".toString() }
        if (stage == 'rollback' && status == DONE) { return undone(result) ? "${release} rolled back".toString() : 'nothing to roll back' }
        return "${release} ${stage} ${result.outcome ?: 'failed'}".toString()
    }

    /** Whether a rollback found something to undo. */
    @NonCPS
    static boolean undone(Map result) {
        for (Object step in (List) (result.steps ?: [])) {
            if (step.name == 'preflight' && step.message == 'nothing to roll back') { return false }
        }
        return true
    }

    /** A description with one service's part replaced; what others wrote stays. */
    @NonCPS
    static String described(String description, String label, String summary) {
        List<String> parts = []
        for (String part in Parameters.text(description).split('; ')) {
            if (part && !part.startsWith(label + ': ')) { parts << part }
        }
        parts << "${label}: ${summary}".toString()
        return parts.join('; ')
    }
}
