package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/** Which build a canary is of: its tag `ecs-pipeline:build` holds BUILD_URL, or BUILD_TAG where Jenkins has no address. */
class Origin implements Serializable {

    private static final long serialVersionUID = 1L

    /** What this build's tag looks like: AWS' tags do not take every letter. */
    @NonCPS
    static String ofBuild(String url, String tag) {
        return tagValue(url ?: tag)
    }

    /** The number of a build of this job; 0 for another job's. */
    @NonCPS
    static int number(String build, String jobUrl, String tag, String ownNumber) {
        String address = tagValue(jobUrl)
        String name = tagValue(tag)
        String rest = ''
        if (address && build.startsWith(address)) {
            rest = build.substring(address.length()).replace('/', '')
        } else if (name && build.startsWith(name.substring(0, name.length() - ownNumber.length()))) {
            rest = build.substring(name.length() - ownNumber.length())
        }
        return rest ==~ /\d{1,9}/ ? rest.toInteger() : 0
    }

    @NonCPS
    private static String tagValue(String text) {
        return Parameters.text(text).replaceAll(/[^\w .:\/=+@-]/, '_')
    }
}
