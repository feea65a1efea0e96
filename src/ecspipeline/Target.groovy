package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/**
 * Which service parameters are about, as far as they say: keeps services, environments and regions of one build apart.
 * `folder` is the one of them that no user gives: where in the workspace the config is looked for, '' at its top.
 * What the command line resolved them to, [cluster, service, region], are `names`; empty until it has run.
 */
class Target implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String REPORTS = 'ecs-pipeline-reports'

    /** For files and ids: letters, digits, dot and dash, with a hash as two services may read alike; '' when all comes from the default config. */
    @NonCPS
    static String key(Map parameters) {
        List<String> parts = []
        for (String name in ['service', 'environment', 'cluster', 'region']) { parts << Text.of(parameters[name]) }
        parts << place(parameters)
        List<String> found = []
        for (String part in parts) {
            if (part) { found << part.replaceAll(/[^A-Za-z0-9.-]+/, '-') }
        }
        return found ? "${found.join('-')}-${Text.hash(parts)}".toString() : ''
    }

    /** Where in the workspace the config is, without the name that it usually has; never a way out of the workspace. */
    @NonCPS
    private static String place(Map parameters) {
        String folder = Text.of(parameters.folder)
        String config = Text.of(parameters.config)
        String path = folder && !config.startsWith('/') ? folder + '/' + config : config
        return path.replaceAll(/^[.\/]+/, '').replaceAll(/(\/?ecs-pipeline\.ya?ml$)|(\.ya?ml$)|(\/$)/, '')
    }

    /** For people, the shortest first: two services of one build do not share one. */
    @NonCPS
    static List<String> labels(Map parameters, Map names) {
        String what = Text.of(names.service) ?: Text.of(parameters.service) ?: Text.of(parameters.folder).replace('/', ' ')
        String cluster = Text.of(names.cluster) ?: Text.of(parameters.cluster)
        String environment = Text.of(parameters.environment)
        String given = Text.of(parameters.region)
        String region = Text.of(names.region) ?: given
        String shortest = [what, environment ?: cluster, given].findAll { it }.join(' ')
        if (!shortest) { return [key(parameters) ?: 'ecs'] }
        String longest = [what, environment, cluster, region].findAll { it }.join(' ')
        return [plain(shortest), plain(longest), plain(longest) + ' ' + Text.hash([key(parameters)])]
    }

    /** A colon would end it in a description. */
    @NonCPS
    private static String plain(String label) {
        return Text.plain(label).replace(':', '.')
    }

    /** The folder of the reports: one for each service, as branches share the workspace. */
    @NonCPS
    static String reports(Map parameters) {
        String key = key(parameters)
        return Text.of(parameters.reports) ?: (key ? "${REPORTS}/${key}".toString() : REPORTS)
    }

    /** The end of a variable's name: _API_PRD; '' without a name. */
    @NonCPS
    static String suffix(String name) {
        return name ? '_' + name.toUpperCase().replaceAll(/[^A-Z0-9]/, '_') : ''
    }
}
