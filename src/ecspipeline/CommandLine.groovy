package ecspipeline

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * The only bridge to Python: runs a command of ecs-pipeline on an agent, publishes its reports, returns STAGE.json as a map.
 * Options: `accept` lists exit codes that are returned as 0 is, `returned` those that are shown as failed and returned all the
 * same, `unpublished` those whose reports are not published.
 */
class CommandLine implements Serializable {

    private static final long serialVersionUID = 1L

    /** Below the limit of one environment variable, 128 KiB. */
    private static final int MOST_LETTERS = 100000
    /** The command whose exit code is not ours: that of what it runs. */
    private static final String RUN = 'run'
    /** No value of a user's is ever part of a script. */
    private static final String SCRIPT = '#!/bin/sh\nexec /bin/sh "$ECS_PIPELINE_LAUNCH" --for-jenkins\n'

    Object steps
    Memory memory
    Reports reports

    CommandLine(Object steps) {
        this.steps = steps
        memory = new Memory(steps)
        reports = new Reports(steps)
    }

    /** Refuses parameters that a step does not take; adds the folder where they find the config, as Target has it. */
    Map accepted(String step, Map parameters) {
        String problem = Parameters.problem(step, parameters)
        if (problem) { steps.error(problem) }
        if (!Parameters.needsConfig(parameters)) { return parameters }
        String folder = here() ?: (State.follows(step) ? Text.of(memory.state(parameters).folder) : '')
        return folder ? parameters + [folder: folder] : parameters
    }

    Map run(String command, Map parameters, Map options = [:]) {
        return (Map) onAgent(command, parameters) { inside(command, parameters, options) }
    }

    /** Runs the body on the agent that is there already, else on one of its own. */
    Object onAgent(String command, Map parameters, Closure body) {
        if (steps.env.WORKSPACE != null) { return inFolder(parameters, body) }
        return steps.node(Text.of(parameters.agent)) {
            if (Parameters.needsSources(command, parameters)) { checkOut(command) }
            return inFolder(parameters, body)
        }
    }

    private Map inside(String command, Map parameters, Map options) {
        String call = "${steps.env.BUILD_NUMBER}-${System.currentTimeMillis()}"
        String folder = launchFolder(command, parameters)
        List<String> settings = settings(command, parameters, options, call, folder) // when this fails nothing has begun, and no report is this build's
        Map before = memory.state(parameters)
        Map begun = State.begun(command, parameters, before, steps.env.BUILD_NUMBER)
        if (begun) { memory.remember(parameters, begun) }
        Exception trouble = execute(command, parameters, settings)
        Map result = told(command, call, folder, trouble)
        int status = result.exit_code
        if (trouble != null && (status < 0 || trouble instanceof FlowInterruptedException)) {
            // Aborted, or the agent is gone: what goes wrong with the reports must not take that place.
            int end = status == Result.DONE ? status : -1
            try {
                ended(command, parameters, result, end, before)
                publish(command, parameters, result, end, options)
            } catch (x) {
                steps.echo("ecs-pipeline ${command}: its reports are not published: ${Text.line(x.message)}".toString())
            }
            throw trouble
        }
        ended(command, parameters, result, status, before)
        publish(command, parameters, result, status, options)
        return judged(command, result, status, options)
    }

    /** Null when it ended with a code that the step goes on with. */
    private Exception execute(String command, Map parameters, List<String> settings) {
        Exception trouble = null
        String label = "ecs-pipeline ${command} ${memory.label(parameters, (Map) memory.state(parameters).names)}"
        try {
            steps.withEnv(settings) { steps.sh(label: label.toString(), script: SCRIPT) }
        } catch (e) {
            trouble = e
        }
        return trouble
    }

    /** What launch wrote down, with exit code -1 when that is nothing. */
    private Map told(String command, String call, String folder, Exception trouble) {
        String text = ''
        try {
            text = steps.readFile(file: "${folder}/told".toString(), encoding: 'UTF-8')
        } catch (e) {
            if (trouble == null) { throw e }
        }
        Map result = Result.told(text, call, command)
        return result ?: [stage: command, exit_code: -1]
    }

    /** What a command left, remembered and told. */
    private void ended(String command, Map parameters, Map result, int status, Map before) {
        if (parameters.dryRun) { return }
        Map known = before + [names: Result.names(result) ?: before.names]
        Map begun = State.begun(command, parameters, before, steps.env.BUILD_NUMBER)
        if (begun) {
            if (command == 'canary') { begun += [evidence: Evidence.of(result, Target.reports(parameters), Text.of(steps.env.GIT_COMMIT))] }
            known = State.ended(begun, before, result, status)
        }
        if (known.names || begun) { memory.remember(parameters, known) }
        if (command == 'rollback' && status == Result.DONE) {
            memory.announce(Text.of(result.service), Text.of(result.release?.id))
        }
        if (begun || command == 'rollback') {
            Map told = begun ?: known
            String summary = Result.summary(command, result, status, told + [why: parameters.why ?: told.why])
            Map place = [reports: result.release?.id ? Target.reports(parameters) : '']
            if (summary) { memory.tell(parameters, (Map) known.names, summary, Evidence.report(place, Text.of(steps.env.BUILD_URL))) }
        }
    }

    /** Reports, unless there is none; and the link once the release has come to its end in this build. */
    void publish(String command, Map parameters, Map result, int status, Map options) {
        if (prints(command, parameters) || !result.outcome || contains(options.unpublished, status)) { return }
        reports.publish(command, parameters, aborted(command, result, status))
        Map known = memory.state(parameters)
        boolean over = command == 'rollback' || command == 'judge' || State.settled(known)
        if (over && !Result.aborted(status) && (!known.linked || result.changed)) {
            reports.link(parameters, memory.label(parameters, (Map) known.names))
            memory.remember(parameters, known + [linked: true])
        }
    }

    /** A one-off command's exit code is its own, also one that looks like a signal's. */
    private boolean aborted(String command, Map result, int status) {
        return command == RUN ? status < 0 || result.outcome == 'interrupted' : Result.aborted(status)
    }

    private boolean contains(Object codes, int status) {
        return codes != null && ((List) codes).contains(status)
    }

    private Map judged(String command, Map result, int status, Map options) {
        if (status != Result.DONE && !contains(options.accept, status) && !contains(options.returned, status)) {
            String failure = Result.failure(command, result, status)
            if (status != Result.INCONCLUSIVE || command == RUN) { steps.error(failure) }
            steps.unstable(failure)
        }
        return result
    }

    /** Whether a command says what it found, or would do, on its standard output, and leaves no files. */
    private boolean prints(String command, Map parameters) {
        return command == 'status' || parameters.dryRun
    }

    /** The environment variables of a command. */
    private List<String> settings(String command, Map parameters, Map options, String call, String folder) {
        String place = Target.reports(parameters)
        boolean printing = prints(command, parameters)
        Map arguments = Parameters.options(command, parameters) + [reports: place] + (printing ? [output: 'json'] : [:])
        String json = Result.json(arguments)
        if (json.length() > MOST_LETTERS) { steps.error("ecs-pipeline ${command}: the parameters are longer than ${MOST_LETTERS} letters".toString()) }
        steps.writeFile(file: "${folder}/launch".toString(), text: carried(), encoding: 'Base64')
        String accepted = "${command == RUN ? '0' : '0 5'} ${((List) (options.accept ?: [])).join(' ')}"
        List<String> found = ["ECS_PIPELINE_ARGS=${json}".toString(), "ECS_PIPELINE_STAGE=${command}".toString(), "ECS_PIPELINE_REPORTS=${place}".toString(),
                              "ECS_PIPELINE_CALL=${call}".toString(), "ECS_PIPELINE_ACCEPT=${accepted.trim()}".toString(), "ECS_PIPELINE_LAUNCH=${folder}/launch".toString(),
                              "ECS_PIPELINE_PRINTS=${printing ? 1 : ''}".toString(), "ECS_PIPELINE_EXECUTABLE=${Text.of(parameters.executable)}".toString()]
        return found
    }

    private String carried() {
        try {
            return steps.libraryResource(resource: 'ecs_pipeline/launch', encoding: 'Base64')
        } catch (e) {
            if (!e.message?.contains('ambiguous')) { throw e }
            // Jenkins takes the steps from the first of them, but tells nobody which that is.
            steps.error("this build loads ecs-pipeline by two library names: load one of them (${Text.line(e.message)})".toString())
        }
    }

    /** Branches share the agent's folder for temporary files, which is no part of the workspace, whatever `dir` says. */
    private String launchFolder(String command, Map parameters) {
        String key = Target.key(parameters)
        return "${steps.env.WORKSPACE_TMP ?: steps.pwd(tmp: true)}/ecs-pipeline-${command}${key ? '-' + key : ''}".toString()
    }

    /** The folder of a `dir` block, inside the workspace; '' at its top and outside of an agent. */
    private String here() {
        if (steps.env.WORKSPACE == null) { return '' }
        String folder = steps.pwd()
        return folder.startsWith(steps.env.WORKSPACE + '/') ? folder.substring(steps.env.WORKSPACE.length() + 1) : ''
    }

    /** What follows a canary reads the config where the canary did. */
    private Object inFolder(Map parameters, Closure body) {
        if (!parameters.folder || parameters.folder == here()) { return body() }
        return steps.dir("${steps.env.WORKSPACE}/${parameters.folder}".toString()) { body() }
    }

    /** A step that brought its own agent finds config and sources there, as a Declarative stage does; once among the changes. */
    private void checkOut(String command) {
        boolean listed = command == 'canary'
        try {
            steps.checkout(scm: steps.scm, changelog: listed, poll: listed)
        } catch (e) {
            if (!e.message?.contains('checkout scm') && !e.message?.startsWith('No such property: scm')) { throw e }
            steps.echo('ecs-pipeline: this job has no sources; the config and the image are looked for in an empty workspace')
        }
    }
}
