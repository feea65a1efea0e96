package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/** Which service parameters are about, as far as they say: keeps services, environments and regions of one build apart. */
class Target implements Serializable {

    private static final long serialVersionUID = 1L

    static final String REPORTS = 'ecs-pipeline-reports'

    /** For files and ids: letters, digits, dot and dash; '' when everything comes from the default config file. */
    @NonCPS
    static String key(Map parameters) {
        List<String> parts = []
        for (String name in ['service', 'environment', 'cluster', 'region', 'config']) {
            String part = Parameters.text(parameters[name])
            if (name == 'config') { part = part.replaceAll(/(^\.\/)|(\/?ecs-pipeline\.ya?ml$)|(\.ya?ml$)/, '') }
            if (part) { parts << part.replaceAll(/[^A-Za-z0-9.-]+/, '-') }
        }
        return parts.join('-')
    }

    /** For people. */
    @NonCPS
    static String label(Map parameters) {
        List<String> parts = []
        String where = Parameters.text(parameters.environment) ?: Parameters.text(parameters.cluster)
        for (String part in [Parameters.text(parameters.service), where, Parameters.text(parameters.region)]) {
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
