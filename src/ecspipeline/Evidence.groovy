package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/** What an approver goes by: all that matters of canary.json, or of `status` for a canary of another build. */
class Evidence implements Serializable {

    private static final long serialVersionUID = 1L

    private static final int MOST_CHECKS = 20
    private static final int MOST_LETTERS = 200
    private static final String PASS = 'pass'

    /** Of canary.json; small enough for an environment variable. */
    @NonCPS
    static Map of(Map result, String reports, String commit) {
        List<Map> checks = []
        for (Object check in (List) (result.checks ?: [])) {
            if (checks.size() < MOST_CHECKS) {
                checks << [name: Text.line(check.name), verdict: check.verdict, message: Text.cut(told(check), MOST_LETTERS)]
            }
        }
        Map release = (Map) (result.release ?: [:])
        return [
            release: release.id, image: release.image, digest: release.digest, epoch: result.epoch, revision: revision(release.task_definition),
            commit: result.commit ?: commit,
            cluster: result.cluster, service: result.service, region: result.region, share: result.canary?.share, since: since(result.canary?.since),
            outcome: result.outcome, checks: checks, reports: reports, message: Text.cut(result.message, MOST_LETTERS),
        ]
    }

    /** The same from what `status` says of a live canary; empty without one. */
    @NonCPS
    static Map ofStatus(Map status) {
        Map canary = (Map) (status.canary ?: [:])
        if (!canary) { return [:] }
        return [
            release: canary.release, image: canary.image, digest: canary.digest, epoch: canary.epoch, revision: revision(canary.task_definition),
            commit: canary.commit, cluster: status.cluster, service: status.service, region: status.region, share: canary.share, since: since(canary.since),
            outcome: canary.verdict == 'inconclusive' ? 'inconclusive' : (canary.verdict ? 'passed' : 'no verdict'),
            checks: [], message: '',
        ]
    }

    /** What an approver reads below the question. */
    @NonCPS
    static List<String> lines(Map evidence, String buildUrl, String onAbort) {
        List<String> found = []
        if (evidence.share != null) { found << "${Text.number(evidence.share)} % of the traffic${evidence.since ? ' ' + evidence.since : ''}".toString() }
        found << "checks: ${verdicts(evidence)}".toString()
        for (Object check in (List) (evidence.checks ?: [])) {
            found << "  ${check.name}: ${check.verdict ?: 'not run'}${check.message ? ': ' + check.message : ''}".toString()
        }
        found << what(evidence)
        String report = report(evidence, buildUrl)
        if (report) { found << "report: ${report}".toString() }
        found << "Promote: the whole service follows. Abort: ${onAbort}.".toString()
        List<String> shown = []
        for (String line in found) { shown << (line.startsWith('  ') ? '  ' : '') + Text.plain(line) }
        return shown
    }

    /** The address of the page of the whole release; '' for a canary of another build. */
    @NonCPS
    static String report(Map evidence, String buildUrl) {
        return evidence.reports && buildUrl ? "${buildUrl}artifact/${evidence.reports}/release.html".toString() : ''
    }

    /** The checks in one line. */
    @NonCPS
    static String verdicts(Map evidence) {
        List<String> wrong = []
        int passed = 0
        for (Object check in (List) (evidence.checks ?: [])) {
            if (check.verdict == PASS) { passed++ } else { wrong << "${check.name} ${check.verdict ?: 'not run'}".toString() }
        }
        String all = Text.of(evidence.outcome)
        if (!passed && !wrong) { return evidence.message ? "${all}: ${evidence.message}".toString() : all }
        return "${all} (${passed} passed${wrong ? ', ' + wrong.join(', ') : ''})".toString()
    }

    /** Revision, image and commit of the canary's task. */
    @NonCPS
    private static String what(Map evidence) {
        List<String> parts = []
        if (evidence.revision) { parts << "revision ${evidence.revision}".toString() }
        String digest = Text.of(evidence.digest).replace('sha256:', '').take(12)
        if (digest) { parts << "image sha256:${digest}".toString() } else if (evidence.image) { parts << "image ${evidence.image}".toString() }
        if (evidence.commit) { parts << "commit ${Text.of(evidence.commit).take(12)}".toString() }
        return parts.join(', ')
    }

    /** A check with its numbers: the command line says them in its message, with units. */
    @NonCPS
    private static String told(Object check) {
        if (check.message || check.value == null) { return Text.of(check.message) }
        String unit = check.unit ? ' ' + check.unit : ''
        return "${Text.number(check.value)}${unit}, limit ${Text.number(check.limit)}${unit}".toString()
    }

    /** FAMILY:42 of an ARN. */
    @NonCPS
    static String revision(Object arn) {
        List<String> parts = Text.of(arn).tokenize('/')
        return parts ? parts.last() : ''
    }

    /** "since 2026-11-27 12:04 UTC" of a time in ISO 8601. */
    @NonCPS
    private static String since(Object time) {
        String text = Text.of(time)
        return text ==~ /\d{4}-\d\d-\d\dT\d\d:\d\d.*/ ? "since ${text.take(16).replace('T', ' ')} UTC".toString() : ''
    }
}
