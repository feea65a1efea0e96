package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/** What the steps take, under which names the command line knows it, and what to say when something else is given. */
class Parameters implements Serializable {

    private static final long serialVersionUID = 1L

    private static final int MOST_TYPOS = 3

    /** What a parameter may be: text, flag, duration, names, words, count. The static fields of a library are literals: a saved program that names the class initialises it as it is loaded, where nothing may be called. */
    static final String FLAG = 'flag'
    static final String DURATION = 'duration'
    static final String NAMES = 'names'
    static final String WORDS = 'words'
    static final String COUNT = 'count'

    /** Options that every command of the command line has; `output` is the bridge's own. */
    private static final Map<String, String> COMMON = [
        config: 'text', environment: 'text', cluster: 'text', service: 'text', region: 'text', roleArn: 'text', reports: 'text',
        dryRun: 'flag', verbose: 'flag',
    ]
    /** How the command line is reached. */
    private static final Map<String, String> AGENT = [agent: 'text', executable: 'text']
    private static final Map<String, String> GATE = [
        message: 'text', submitters: 'names', timeLimit: 'duration', watch: 'duration', onOpen: 'code', fourEyes: 'flag',
    ]
    /** The options of each command that are its own. */
    private static final Map<String, Map<String, String>> COMMANDS = [
        canary: [release: 'text', image: 'text', tag: 'text', replace: 'flag'],
        promote: [
            release: 'text', unjudged: 'flag', approvedBy: 'text', comment: 'text', digest: 'text', epoch: 'text', taskDefinition: 'text',
        ],
        rollback: [release: 'text', canary: 'flag', to: 'text'],
        status: [all: 'flag', olderThan: 'duration'],
        judge: [release: 'text'],
        provision: [image: 'text', release: 'text', delete: 'flag', confirm: 'text'],
        validate: [image: 'text', tag: 'text'],
        run: [command: 'words', name: 'text', release: 'text', timeout: 'duration'],
        prune: [keep: 'count', yes: 'flag'],
    ]

    private static final Map<String, String> WANTED = [
        text: 'a text in quotes', flag: 'true or false, without quotes', duration: "a duration: '90s', '5m' or '1h'",
        names: "names: 'jane,ops' or ['jane', 'ops']", code: 'code in braces: { evidence -> ... }',
        lock: "false, or the name of a lock in quotes", words: "a list of texts in quotes: ['./migrate', '--all']",
        count: 'a whole number without quotes, 1 or more',
    ]

    /** The commands of the command line. */
    @NonCPS
    static Set<String> commands() {
        return COMMANDS.keySet()
    }

    /** The options of a command, by the names that the steps have for them. */
    @NonCPS
    static Map<String, String> optionsOf(String name) {
        return COMMON + COMMANDS[name]
    }

    /** What each step takes. */
    @NonCPS
    static Map<String, Map<String, String>> steps() {
        return [
            ecsCanary: optionsOf('canary') + AGENT + [validate: FLAG],
            ecsPromote: optionsOf('promote') + AGENT,
            ecsRollback: optionsOf('rollback') + AGENT + [anyRelease: FLAG],
            ecsStatus: optionsOf('status') + AGENT,
            ecsJudge: optionsOf('judge') + AGENT,
            ecsProvision: optionsOf('provision') + AGENT,
            ecsValidate: optionsOf('validate') + AGENT,
            ecsRun: optionsOf('run') + AGENT,
            ecsPrune: optionsOf('prune') + AGENT,
            ecsApprove: COMMON + AGENT + GATE + [release: 'text', rollback: FLAG],
            ecsDeploy: optionsOf('canary') + AGENT + GATE + [approve: FLAG, lock: 'lock', validate: FLAG],
        ]
    }

    /** One line about the first parameter that is wrong; null when all are right. Null and '' count as not given. */
    @NonCPS
    static String problem(String step, Map given) {
        Map<String, String> takes = steps()[step]
        for (Object key in given.keySet()) {
            String name = key.toString()
            Object value = given[key]
            if (!takes.containsKey(name)) {
                return "${step}: no parameter ${Text.cut(name, 40)}; ${nearest(name, new ArrayList<String>(takes.keySet()))}".toString()
            }
            if (!fits(takes[name], value)) {
                return "${step}: ${name} must be ${WANTED[takes[name]]}, not ${shown(value)}".toString()
            }
        }
        String reports = Text.of(given.reports)
        if (reports && (!(reports ==~ /[\w.\/-]+/) || reports.startsWith('/') || reports.tokenize('/').any { it ==~ /\.+/ })) {
            return "${step}: reports must be a folder inside the workspace, of letters, digits, . _ - and /, not '${reports}'".toString()
        }
        if (step == 'ecsRun' && !given.command) {
            return "ecsRun: command is missing: give its words, for example command: ['./migrate', '--all']"
        }
        if (given.containsKey('submitters') && !named(given.submitters)) {
            return "${step}: submitters is given, but empty: say who may answer, or leave it out, and everybody who may build the job does".toString()
        }
        return null
    }

    /** What of the parameters a command takes, by the names of its options; the rest is the library's own. */
    @NonCPS
    static Map<String, Object> options(String command, Map given) {
        Map<String, String> takes = optionsOf(command)
        Map<String, Object> found = [:]
        for (String name in takes.keySet()) {
            Object value = given[name]
            if (value != null && value.toString() != '') {
                found[optionName(name)] = takes[name] == FLAG ? value : takes[name] == WORDS ? texts((List) value) : value.toString()
            }
        }
        return found
    }

    /** Each as a text: a GString would be written as an object. */
    @NonCPS
    private static List<String> texts(List words) {
        List<String> found = []
        for (Object word in words) { found << word.toString() }
        return found
    }

    /** Those of a step's parameters that another step takes as well. */
    @NonCPS
    static Map<String, Object> shared(String step, Map given) {
        Map<String, String> takes = steps()[step]
        Map<String, Object> found = [:]
        for (Object key in given.keySet()) {
            if (takes.containsKey(key.toString())) { found[key.toString()] = given[key] }
        }
        return found
    }

    /** Whether the service is not known without the config. */
    @NonCPS
    static boolean needsConfig(Map given) {
        return Text.of(given.cluster) == '' || Text.of(given.service) == '' || Text.of(given.config) != ''
    }

    /** Whether a command reads files of the sources: the config, which alone has the checks, or what an image is built from. */
    @NonCPS
    static boolean needsSources(String command, Map given) {
        return needsConfig(given) || ['judge', 'provision', 'validate'].contains(command) || (command == 'canary' && Text.of(given.image) == '' && Text.of(given.tag) == '')
    }

    /** dry_run of dryRun. */
    @NonCPS
    static String optionName(String name) {
        return name.replaceAll(/([A-Z])/, '_$1').toLowerCase()
    }

    /** What to say when a step is given anything but names and values. */
    @NonCPS
    static String unnamed(String step, Object given) {
        String first = ''
        for (Object value in given) { first = first ?: (value instanceof CharSequence ? "'${Text.cut(value, 40)}'".toString() : '') }
        return "${step} takes named parameters, for example ${step}(environment: 'prd')${first ? ', not ' + step + '(' + first + ')' : ''}".toString()
    }

    /** Seconds of '90s', '5m', '1h'; 0 when it is not given. */
    @NonCPS
    static int seconds(Object duration) {
        String text = Text.of(duration)
        if (!text) { return 0 }
        Map<String, Integer> units = [s: 1, m: 60, h: 3600]
        int last = text.length() - 1
        return text.substring(0, last).toInteger() * units[text.substring(last)]
    }

    /** Whether anybody is named: an environment variable that is not set is nobody, not everybody. */
    @NonCPS
    private static boolean named(Object submitters) {
        String all = submitters instanceof List ? submitters.findAll { it != null }.join(',') : Text.of(submitters)
        return !all.tokenize(', \t\n').isEmpty()
    }

    @NonCPS
    private static boolean fits(String kind, Object value) {
        if (value == null) { return true }
        if (kind == FLAG) { return value instanceof Boolean }
        if (kind == 'code') { return value instanceof Closure }
        if (kind == 'lock' && value instanceof Boolean) { return !value }
        if (kind == NAMES && value instanceof List) { return true }
        if (kind == WORDS) { return value instanceof List && value.every { it instanceof CharSequence } }
        if (kind == COUNT) { return value instanceof Integer && value > 0 }
        if (!(value instanceof CharSequence)) { return false }
        return kind != DURATION || value.toString() == '' || (value.toString() ==~ /[1-9]\d{0,6}[sm]|[1-9]\d{0,4}h/)
    }

    @NonCPS
    private static String shown(Object value) {
        if (value instanceof CharSequence) { return "'${Text.cut(value, 80)}'".toString() }
        if (value instanceof Map) { return 'a map' }
        if (value instanceof Closure) { return 'code' }
        if (value instanceof List) { return 'a list' }
        return value.toString()
    }

    @NonCPS
    private static String nearest(String name, List<String> known) {
        String best = ''
        int least = MOST_TYPOS + 1
        for (String other in known) {
            int far = distance(name.toLowerCase().replace('_', ''), other.toLowerCase())
            if (far < least) {
                least = far
                best = other
            }
        }
        return best ? "did you mean ${best}?".toString() : "it takes ${known.sort().join(', ')}".toString()
    }

    /** Levenshtein's. */
    @NonCPS
    private static int distance(String a, String b) {
        List<Integer> row = []
        for (int j = 0; j <= b.length(); j++) { row << j }
        for (int i = 1; i <= a.length(); i++) {
            List<Integer> next = [i]
            for (int j = 1; j <= b.length(); j++) {
                int other = row[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1)
                next << Math.min(other, Math.min(row[j] + 1, next[j - 1] + 1))
            }
            row = next
        }
        return row[b.length()]
    }
}
