package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/**
 * What a build knows of one service's release: a map in the environment variable ECS_PIPELINE_STATE of that service, as
 * environment variables are what a restart from a stage keeps. AWS alone says what is; this says what the build began.
 *
 *     build      number of the build that wrote it: after a restart an older one
 *     stage      the last stage that this release went through: canary or promote
 *     outcome    begun, passed, inconclusive, failed (and restored), refused, error, interrupted; or rolled back
 *     release    its id, '' until the command line has told
 *     why        why it is to be rolled back: "not approved", "aborted" or what went wrong
 *     approval   who said yes: [by, comment]
 *     evidence   what the approver is shown
 *     names      cluster, service and region as the command line resolved them
 *     earlier    the state of another release that this build began, while it is not known how the present command ended
 *     linked     true when the page of the release has its link at the build
 *
 * Under the same parameters without a folder, [folder: F] says that the canary was started in a `dir` block of F.
 */
class State implements Serializable {

    private static final long serialVersionUID = 1L

    static final String BEGUN = 'begun'
    static final String PASSED = 'passed'
    static final String FAILED = 'failed'
    static final String ROLLED_BACK = 'rolled back'

    @NonCPS
    static String variable(Map parameters) {
        return 'ECS_PIPELINE_STATE' + Target.suffix(Target.key(parameters))
    }

    /** Whether a step goes on with what a canary began. */
    @NonCPS
    static boolean follows(String step) {
        return ['ecsApprove', 'ecsPromote', 'ecsRollback', 'ecsJudge', 'ecsRun'].contains(step)
    }

    /** Whether there is nothing to undo: nothing begun, undone already, or promoted. */
    @NonCPS
    static boolean settled(Map state) {
        return !state.stage || gone(state) || promoted(state)
    }

    /** Whether the release failed and was undone, or was rolled back. */
    @NonCPS
    static boolean gone(Map state) {
        return [FAILED, ROLLED_BACK].contains(state.outcome)
    }

    @NonCPS
    static boolean rolledBack(Map state) {
        return state.outcome == ROLLED_BACK
    }

    @NonCPS
    static boolean promoted(Map state) {
        return state.stage == 'promote' && state.outcome == PASSED
    }

    /** Whether a promotion may have begun: then undoing is more than removing a canary. */
    @NonCPS
    static boolean promotionUnderWay(Map state) {
        return state.stage == 'promote' && ![PASSED, FAILED, ROLLED_BACK, 'refused'].contains(state.outcome)
    }

    /** The state while a command runs; null for one that changes none. */
    @NonCPS
    static Map begun(String command, Map parameters, Map before, String build) {
        if (!['canary', 'promote'].contains(command) || parameters.dryRun) { return null }
        String release = Text.of(parameters.release)
        Map kept = before.release && before.release == release ? before : [names: before.names]
        boolean another = before.build == build && before.release != release && !settled(before)
        Map anew = command == 'canary' ? [approval: null] : [:] // what was approved was another canary
        return kept + anew + [build: build, stage: command, outcome: BEGUN, release: release, why: null, earlier: another ? before : null]
    }

    /**
     * The state after it. What was refused, or not even started, changed nothing in AWS: what the build began before stays what
     * it has to undo. Where the end is not known (an abort, a lost agent), both may have to be undone.
     */
    @NonCPS
    static Map ended(Map begun, Map before, Map result, int status) {
        boolean refused = (status == Result.INVALID || status == Result.REFUSED) && !result.changed
        boolean notStarted = status == Result.TROUBLE && !result.outcome
        Map names = Result.names(result) ?: before.names
        boolean same = before.release && before.release == begun.release
        if (refused || notStarted) { return before + [names: names] + (same ? [why: Result.reason(result)] : [:]) }
        String outcome = Result.hookFailed(result) ? PASSED : result.outcome ?: 'error'
        Map now = begun + [outcome: outcome, release: result.release?.id ?: begun.release, names: names]
        if (status == Result.TROUBLE && outcome != PASSED) { now += [why: Result.reason(result)] }
        if (Result.aborted(status)) { return now + [why: 'aborted'] }
        return now + [earlier: null]
    }
}
