package ecspipeline

/** The steps of one command each that begins no release: ecsStatus, ecsJudge, ecsProvision, ecsValidate, ecsRun, ecsPrune. */
class LookStep implements Serializable {

    private static final long serialVersionUID = 1L

    Object steps
    CommandLine commandLine

    LookStep(Object steps) {
        this.steps = steps
        commandLine = new CommandLine(steps)
    }

    Map status(Map parameters) {
        Map status = commandLine.run('status', commandLine.accepted('ecsStatus', parameters))
        if (status.services != null) {
            String older = ((List) status.older).join(', ')
            steps.echo(Text.line("${status.cluster}: ${((List) status.services).size()} services; canaries that are too old: ${older ?: 'none'}"))
            return status
        }
        Map canary = (Map) (status.canary ?: [:])
        String live = canary ? "canary ${canary.release} takes ${Text.number(canary.share)} %, verdict ${canary.verdict ?: 'none yet'}" : 'no canary'
        String tasks = "${status.tasks?.running} of ${status.tasks?.desired} tasks run"
        steps.echo(Text.line("${status.cluster}/${status.service}: release ${status.release ?: 'none recorded'}, ${tasks}; ${live}"))
        return status
    }

    Map judge(Map parameters) {
        Map wanted = commandLine.accepted('ecsJudge', parameters)
        Map known = commandLine.memory.ownState(wanted)
        String release = Text.of(parameters.release) ?: Text.of(known.release)
        Map result = commandLine.run('judge', wanted + [release: release])
        return Shown.plan(steps, 'ecsJudge', wanted, result)
    }

    Map provision(Map parameters) {
        Map wanted = commandLine.accepted('ecsProvision', parameters)
        return Shown.plan(steps, 'ecsProvision', wanted, commandLine.run('provision', wanted))
    }

    Map validate(Map parameters) {
        return commandLine.run('validate', commandLine.accepted('ecsValidate', parameters))
    }

    /** In the release of this build where it has one: another build's canary may live by now. */
    Map oneOff(Map parameters) {
        Map wanted = commandLine.accepted('ecsRun', parameters)
        Map known = commandLine.memory.ownState(wanted)
        String release = Text.of(parameters.release) ?: (State.gone(known) ? '' : Text.of(known.release))
        return Shown.plan(steps, 'ecsRun', wanted, commandLine.run('run', wanted + [release: release]))
    }

    /** The command line's dry run without `yes` is one here, too: it prints, and leaves no reports. */
    Map prune(Map parameters) {
        Map given = commandLine.accepted('ecsPrune', parameters)
        Map wanted = given + [dryRun: given.dryRun || !given.yes]
        return Shown.plan(steps, 'ecsPrune', wanted, commandLine.run('prune', wanted))
    }
}
