package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/**
 * Which service parameters are about, as far as they say: keeps services, environments and regions of one build apart.
 * `folder` is the one of them that no user gives: where in the workspace the config is looked for, '' at its top.
 */
class Target implements Serializable {

    private static final long serialVersionUID = 1L

    static final String REPORTS = 'ecs-pipeline-reports'

    /** For files and ids: letters, digits, dot and dash; '' when everything comes from the default config file. */
    @NonCPS
    static String key(Map parameters) {
        List<String> parts = []
        for (String name in ['service', 'environment', 'cluster', 'region']) { parts << Parameters.text(parameters[name]) }
        parts << place(parameters)
        List<String> found = []
        for (String part in parts) {
            if (part) { found << part.replaceAll(/[^A-Za-z0-9.-]+/, '-') }
        }
        return found.join('-')
    }

    /** Where in the workspace the config is, without the name that it usually has; never a way out of the workspace. */
    @NonCPS
    private static String place(Map parameters) {
        String folder = Parameters.text(parameters.folder)
        String config = Parameters.text(parameters.config)
        String path = folder && !config.startsWith('/') ? folder + '/' + config : config
        return path.replaceAll(/^[.\/]+/, '').replaceAll(/(\/?ecs-pipeline\.ya?ml$)|(\.ya?ml$)|(\/$)/, '')
    }

    /** For people. */
    @NonCPS
    static String label(Map parameters) {
        List<String> parts = []
        String what = Parameters.text(parameters.service) ?: Parameters.text(parameters.folder).replace('/', ' ')
        String where = Parameters.text(parameters.environment) ?: Parameters.text(parameters.cluster)
        for (String part in [what, where, Parameters.text(parameters.region)]) {
            if (part) { parts << part }
        }
        return parts.join(' ') ?: key(parameters)
    }

    /** The folder of the reports: one for each service, as branches share the workspace. */
    @NonCPS
    static String reports(Map parameters) {
        String key = key(parameters)
        return Parameters.text(parameters.reports) ?: (key ? "${REPORTS}/${key}".toString() : REPORTS)
    }

    /** The end of a variable's name: _API_PRD; '' without a name. */
    @NonCPS
    static String suffix(String name) {
        return name ? '_' + name.toUpperCase().replaceAll(/[^A-Z0-9]/, '_') : ''
    }
}
