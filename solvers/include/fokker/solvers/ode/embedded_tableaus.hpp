#pragma once
/// @file  fokker/solvers/ode/embedded_tableaus.hpp
/// @brief Embedded pairs of explicit Runge-Kutta methods as data.

#include <array>
#include <cstddef>
#include <string_view>

#include <fokker/solvers/ode/runge_kutta.hpp>

/// A pair is a struct with
///
///     name, source
///     order                 of the solution that is kept, y = x + h sum_i b_i k_i
///     error_order           q: the error estimate is O(h^(q+1))
///     tableau               of its s stages; ExplicitRungeKutta<pair> takes it with fixed steps
///     error[s + 1]          estimate h sum_i error_i k_i, where k_s = f(y, t + h) is the first
///                           stage of the next step; error_s = 0 if the estimate does not use it
///     dense_order           of the interpolant x + h sum_i w_i(theta) k_i
///     coarse_interpolant    optional: true where the measured error of the interpolant is above
///     ten
///                           times that of the steps; dense output then redoes steps
///     dense_degree          optional: its degree in theta, if not dense_order
///     dense(theta)          its weights w_i of k_0 .. k_s, and of more stages if there are any
///     dense_stages          optional: the tableau of those, c and rows over all stages before
///     stability             length of the region of stability on the negative real axis; 0 where
///     no
///                           two stages are at one time, which detecting stiffness needs
///
/// The tests check order conditions of both methods, the order of the interpolant and `stability`.
namespace fokker::tableaus {

namespace detail {

/// The weights of Hermite's cubic through x, y and the slopes k_0, k_s.
template <std::size_t s, std::size_t n>
constexpr std::array<double, n> hermite(const std::array<double, s>& b, double theta) {
  static_assert(n > s);
  std::array<double, n> w{};
  const double rest = 1 - theta;
  const double of_y = theta * theta * (3 - 2 * theta);
  for (std::size_t i = 0; i < s; ++i) w[i] = of_y * b[i];
  w[0] += theta * rest * rest;
  w[s] -= theta * theta * rest;
  return w;
}

/// theta (r_0 + r_1 theta + r_2 theta^2 + ...).
template <std::size_t n>
constexpr double polynomial(const std::array<double, n>& r, double theta) {
  double sum = 0;
  for (std::size_t i = n; i > 0; --i) sum = sum * theta + r[i - 1];
  return sum * theta;
}

}  // namespace detail

/// Stages k_s+1, ... that only the interpolant of a pair uses; `all` counts every stage from k_0.
template <std::size_t count, std::size_t all>
struct DenseStages {
  std::array<std::array<double, all>, count> a;
  std::array<double, count> c;
};

/// Bogacki and Shampine's pair of orders 3 and 2, for loose tolerances. Three evaluations per step.
struct Bs3 {
  static constexpr std::string_view name = "bs3";
  static constexpr std::string_view source = "Bogacki & Shampine (1989)";
  static constexpr int order = 3, error_order = 2, dense_order = 3;
  static constexpr double stability = 0;
  static constexpr ButcherTableau<3> tableau{
      {{{0, 0, 0}, {0.5, 0, 0}, {0, 0.75, 0}}}, {2.0 / 9, 1.0 / 3, 4.0 / 9}, {0, 0.5, 0.75}};
  static constexpr std::array<double, 4> error{2.0 / 9 - 7.0 / 24, 1.0 / 3 - 1.0 / 4,
                                               4.0 / 9 - 1.0 / 3, -1.0 / 8};
  static constexpr std::array<double, 4> dense(double theta) {
    return detail::hermite<3, 4>(tableau.b, theta);
  }
};

/// Dormand and Prince's pair of orders 5 and 4. Six evaluations per step. The interpolant is that
/// of Hairer's code dopri5.
struct Dopri5 {
  static constexpr std::string_view name = "dopri5";
  static constexpr std::string_view source =
      "Dormand & Prince (1980); Hairer, Norsett & Wanner (1993), II.5 and II.6";
  static constexpr int order = 5, error_order = 4, dense_order = 4;
  static constexpr double stability = 3.3066;
  static constexpr ButcherTableau<6> tableau{
      {{{0, 0, 0, 0, 0, 0},
        {1.0 / 5, 0, 0, 0, 0, 0},
        {3.0 / 40, 9.0 / 40, 0, 0, 0, 0},
        {44.0 / 45, -56.0 / 15, 32.0 / 9, 0, 0, 0},
        {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729, 0, 0},
        {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656, 0}}},
      {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
      {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1}};
  static constexpr std::array<double, 7> error{
      71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
  static constexpr std::array<double, 7> dense(double theta) {
    constexpr std::array<double, 7> d{-12715105075.0 / 11282082432,  0,
                                      87487479700.0 / 32700410799,   -10690763975.0 / 1880347072,
                                      701980252875.0 / 199316789632, -1453857185.0 / 822651844,
                                      69997945.0 / 29380423};
    auto w = detail::hermite<6, 7>(tableau.b, theta);
    const double bubble = theta * theta * (1 - theta) * (1 - theta);
    for (std::size_t i = 0; i < 7; ++i) w[i] += bubble * d[i];
    return w;
  }
};

/// Tsitouras's pair of orders 5 and 4: the general choice. Six evaluations per step.
struct Tsit5 {
  static constexpr std::string_view name = "tsit5";
  static constexpr std::string_view source = "Tsitouras (2011), Comput. Math. Appl. 62, 770-775";
  static constexpr int order = 5, error_order = 4, dense_order = 4;
  static constexpr bool coarse_interpolant = true;
  static constexpr double stability = 3.5068;
  static constexpr ButcherTableau<6> tableau{
      {{{0, 0, 0, 0, 0, 0},
        {0.161, 0, 0, 0, 0, 0},
        {-0.008480655492356988544, 0.3354806554923569885, 0, 0, 0, 0},
        {2.897153057105493432, -6.359448489975074843, 4.362295432869581411, 0, 0, 0},
        {5.325864828439256604, -11.74888356406282788, 7.495539342889836208, -0.09249506636175524925,
         0, 0},
        {5.861455442946420029, -12.92096931784710929, 8.159367898576158643, -0.07158497328140099722,
         -0.02826905039406838291, 0}}},
      {0.09646076681806522952, 0.01, 0.4798896504144995748, 1.379008574103741893,
       -3.290069515436080680, 2.324710524099773982},
      {0, 0.161, 0.327, 0.9, 0.9800255409045096857, 1}};
  static constexpr std::array<double, 7> error{0.001780011052225771443,
                                               0.0008164344596567469032,
                                               -0.007880878010261996010,
                                               0.1447110071732629075,
                                               -0.5823571654525552250,
                                               0.4580821059291869467,
                                               -1.0 / 66};
  static constexpr std::array<double, 7> dense(double theta) {
    using R = std::array<double, 4>;
    constexpr std::array<R, 7> r{
        R{1, -2.763706197274825911, 2.913255461821912744, -1.0530884977290216},
        R{0, 0.1317, -0.2234, 0.1017},
        R{0, 3.930296236894751529, -5.941033872131504735, 2.490627285651252793},
        R{0, -12.41107716693367698, 30.33818863028232160, -16.54810288924490272},
        R{0, 37.50931341651103920, -88.17890489476640110, 47.37952196281928122},
        R{0, -27.89652628919728781, 65.09189467479367153, -34.87065786149660974},
        R{0, 1.5, -4, 2.5}};
    std::array<double, 7> w{};
    for (std::size_t i = 0; i < 7; ++i) w[i] = detail::polynomial(r[i], theta);
    return w;
  }
};

/// Verner's "most efficient" pair of orders 7 and 6. Ten evaluations per step, one more for the
/// slope at its start, and five for the interpolant where it is used. Verner states order 7 for the
/// interpolant; it misses the order conditions by 2e-7, and order 6 is claimed here.
struct Vern7 {
  static constexpr std::string_view name = "vern7";
  static constexpr std::string_view source = "Verner (2010), Numer. Algorithms 53, 383-396";
  static constexpr int order = 7, error_order = 6, dense_order = 6;
  static constexpr int dense_degree = 7;
  static constexpr double stability = 4.64;
  static constexpr ButcherTableau<10> tableau{
      {{{},
        {0.005},
        {-1.07679012345679, 1.185679012345679},
        {0.04083333333333333, 0, 0.1225},
        {0.6389139236255726, 0, -2.455672638223657, 2.272258714598084},
        {-2.6615773750187572, 0, 10.804513886456137, -8.3539146573962, 0.820487594956657},
        {6.067741434696772, 0, -24.711273635911088, 20.427517930788895, -1.9061579788166472,
         1.006172249242068},
        {12.054670076253203, 0, -49.75478495046899, 41.142888638604674, -4.461760149974004,
         2.042334822239175, -0.09834843665406107},
        {10.138146522881808, 0, -42.6411360317175, 35.76384003992257, -4.3480228403929075,
         2.0098622683770357, 0.3487490460338272, -0.27143900510483127},
        {-45.030072034298676, 0, 187.3272437654589, -154.02882369350186, 18.56465306347536,
         -7.141809679295079, 1.3088085781613787}}},
      {0.04715561848627222, 0, 0, 0.25750564298434153, 0.26216653977412624, 0.15216092656738558,
       0.4939969170032485, -0.29430311714032503, 0.08131747232495111, 0},
      {0, 0.005, 49.0 / 450, 49.0 / 300, 0.4555, 0.6095094489978381, 0.884, 0.925, 1, 1}};
  static constexpr std::array<double, 11> error{0.002547011879931045,
                                                0,
                                                0,
                                                -0.00965839487279575,
                                                0.04206470975639691,
                                                -0.0666822437469301,
                                                0.2650097464621281,
                                                -0.29430311714032503,
                                                0.08131747232495111,
                                                -0.02029518466335628,
                                                0};
  static constexpr DenseStages<5, 16> dense_stages{
      {{{0.0523222769159969, 0, 0, 0.22495861826705715, 0.017443709248776376, -0.007669379876829393,
         0.03435896044073285, -0.0410209723009395, 0.025651133005205617, 0, -0.0160443457},
        {0.053053341257859085, 0, 0, 0.12195301011401886, 0.017746840737602496,
         -0.0005928372667681495, 0.008381833970853752, -0.01293369259698612, 0.009412056815253861,
         0, -0.005353253107275676, -0.06666729992455811},
        {0.03887903257436304, 0, 0, -0.0024403203308301317, -0.0013928917214672623,
         -0.00047446291558680135, 0.00039207932413159514, -0.00040554733285128004,
         0.00019897093147716726, 0, -0.00010278198793179169, 0.03385661513870267,
         0.1814893063199928},
        {0.05723681204690013, 0, 0, 0.22265948066761182, 0.12344864200186899, 0.04006332526666491,
         -0.05269894848581452, 0.04765971214244523, -0.02138895885042213, 0, 0.015193891064036402,
         0.12060546716289655, -0.022779423016187374},
        {0.051372038802756814, 0, 0, 0.5414214473439406, 0.350399806692184, 0.14193112269692182,
         0.10527377478429423, -0.031081847805874016, -0.007401883149519145, 0,
         -0.006377932504865363, -0.17325495908361865, -0.18228156777622026}}},
      {0.29, 0.125, 0.25, 0.53, 0.79}};
  static constexpr std::array<double, 16> dense(double theta) {
    using R = std::array<double, 7>;
    constexpr std::array<R, 16> r{R{1, -8.413387198332767, 33.675508884490895, -70.80159089484886,
                                    80.64695108301298, -47.19413969837522, 11.133813442539243},
                                  R{},
                                  R{},
                                  R{0, 8.754921980674396, -88.4596828699771, 346.9017638429916,
                                    -629.2580030059837, 529.6773755604193, -167.35886986514018},
                                  R{0, 8.913387586637922, -90.06081846893218, 353.1807459217058,
                                    -640.6476819744374, 539.2646279047156, -170.38809442991547},
                                  R{0, 5.1733120298478, -52.271115900055385, 204.9853867374073,
                                    -371.8306118563603, 312.9880934374529, -98.89290352172495},
                                  R{0, 16.79537744079696, -169.70040000059728, 665.4937727009246,
                                    -1207.1638892336007, 1016.1291515818546, -321.06001557237494},
                                  R{0, -10.005997536098665, 101.1005433052275, -396.47391512378437,
                                    719.1787707014183, -605.3681033918824, 191.27439892797935},
                                  R{0, 2.764708833638599, -27.934602637390462, 109.54779186137893,
                                    -198.7128113064482, 167.26633571640318, -52.85010499525706},
                                  R{},
                                  R{0, -2.1696320280163506, 22.016696037569876, -86.90152427798948,
                                    159.22388973861476, -135.9618306534588, 43.792401183280006},
                                  R{0, -4.890070188793804, 22.75407737425176, -30.78034218537731,
                                    -2.797194317207249, 31.369456637508403, -15.655927320381801},
                                  R{0, 10.862170929551967, -50.542971417827104, 68.37148040407511,
                                    6.213326521632409, -69.68006323194157, 34.776056794509195},
                                  R{0, -11.37286691922923, 130.79058078246717, -488.65113677785604,
                                    832.2148793276441, -664.7743368554426, 201.79288044241662},
                                  R{0, -5.919778732715007, 63.27679965889219, -265.432682088738,
                                    520.1009254140611, -467.412109533902, 155.3868452824017},
                                  R{0, -10.492146197961823, 105.35538525188011, -409.43975011988937,
                                    732.831448907654, -606.3044574733512, 188.0495196316683}};
    std::array<double, 16> w{};
    for (std::size_t i = 0; i < 16; ++i) w[i] = detail::polynomial(r[i], theta);
    return w;
  }
};

/// Dormand and Prince's method of order 8 with the error estimates of orders 5 and 3 of Hairer's
/// code dop853, for tight tolerances. Twelve evaluations per step, and three more for the
/// interpolant where it is used. The error is e5^2 / sqrt(e5^2 + (e3 / 10)^2), of size O(h^8), with
/// the norms e5 and e3 of the two estimates over the components of a path.
struct Dop853 {
  static constexpr std::string_view name = "dop853";
  static constexpr std::string_view source = "Hairer, Norsett & Wanner (1993), II.5 and II.6";
  static constexpr int order = 8, error_order = 7, dense_order = 7;
  static constexpr bool coarse_interpolant = true;
  static constexpr double stability = 6.3937;
  static constexpr ButcherTableau<12> tableau{
      {{{},
        {0.052600151958767731879},
        {0.019725056984537899454, 0.059175170953613698363},
        {0.029587585476806849182, 0, 0.088762756430420547545},
        {0.2413651341592666855, 0, -0.88454947932828608534, 0.92483400326179200312},
        {0.037037037037037037037, 0, 0, 0.17082860872947387128, 0.12546768756682242502},
        {0.037109375, 0, 0, 0.17025221101954403931, 0.060216538980455960685, -0.017578125},
        {0.037092000118504792711, 0, 0, 0.17038392571223999381, 0.10726203044637328465,
         -0.015319437748624401753, 0.0082737891638140228876},
        {0.62411095871607571711, 0, 0, -3.3608926294469412941, -0.86821934684172600682,
         27.592099699446708305, 20.154067550477893409, -43.489884181069958848},
        {0.47766253643826436589, 0, 0, -2.4881146199716676419, -0.59029082683684299637,
         21.230051448181194235, 15.279233632882423583, -33.288210968984862919,
         -0.020331201708508626136},
        {-0.93714243008598732572, 0, 0, 5.1863724288440637083, 1.0914373489967295782,
         -8.1497870107469261251, -18.520065659996959864, 22.739487099350504282,
         2.4936055526796523899, -3.0467644718982195004},
        {2.2733101475165382079, 0, 0, -10.534495466737250198, -2.0008720582248624991,
         -17.958931863118798917, 27.948884529419960051, -2.8589982771350236947,
         -8.8728569335306295443, 12.360567175794303065, 0.64339274601576353036}}},
      {0.054293734116568762238, 0, 0, 0, 0, 4.4503128927524088814, 1.891517899314500383,
       -5.8012039600105847815, 0.31116436695781989441, -0.15216094966251607856,
       0.20136540080403034837, 0.044710615727772590518},
      {0, 0.052600151958767731879, 0.078900227938151597818, 0.11835034190722739673,
       0.28164965809277260327, 0.33333333333333333333, 0.25, 0.30769230769230769231,
       0.65128205128205128205, 0.6, 0.85714285714285714286, 1}};
  /// The estimate of order 5.
  static constexpr std::array<double, 13> error{0.013120044994194880733,
                                                0,
                                                0,
                                                0,
                                                0,
                                                -1.2251564463762044407,
                                                -0.49575894965725019152,
                                                1.664377182454986537,
                                                -0.35032884874997368169,
                                                0.33417911871301747903,
                                                0.081923206485115712466,
                                                -0.022355307863886295259,
                                                0};
  /// The estimate of order 3.
  static constexpr std::array<double, 13> error_low{-0.18980075407240761571,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    4.4503128927524088814,
                                                    1.891517899314500383,
                                                    -5.8012039600105847815,
                                                    -0.42268232132379196293,
                                                    -0.15216094966251607856,
                                                    0.20136540080403034837,
                                                    0.022651792198360825812,
                                                    0};
  static constexpr DenseStages<3, 16> dense_stages{
      {{{0.056167502283047952339, 0, 0, 0, 0, 0, 0.25350021021662481109, -0.24623903747080248992,
         -0.12419142326381636047, 0.15329179827876569731, 0.0082010522956346898849,
         0.0075678976605456997614, -0.008298},
        {0.031834648163502140506, 0, 0, 0, 0, 0.028300909672366775529, 0.053541988307438567622,
         -0.054923748571390988465, 0, 0, -0.00010834732869724932286, 0.00038257109083565841295,
         -0.0003404650086874045608, 0.14131244367463250028},
        {-0.42889630158379192341, 0, 0, 0, 0, -4.6976214153611638431, 7.6834211960625990418,
         4.0689898183971100797, 0.35672718745528110927, 0, 0, 0, -0.0013990241651590146213,
         2.947514789152772339, -9.1509584721798700108}}},
      {0.1, 0.2, 0.77777777777777777778}};
  static constexpr std::array<double, 16> dense(double theta) {
    constexpr std::array<std::array<double, 16>, 4> d{
        {{-8.4289382761090128651, 0, 0, 0, 0, 0.56671495351937776963, -3.0689499459498916913,
          2.3846676565120698288, 2.1170345824450282767, -0.87139158377797299207,
          2.2404374302607882759, 0.63157877876946881816, -0.088990336451333310821,
          18.148505520854727257, -9.1946323924783554, -4.4360363875948939664},
         {10.427508642579134603, 0, 0, 0, 0, 242.28349177525818288, 165.20045171727028199,
          -374.5467547226902028, -22.113666853125306036, 7.733432668472263839,
          -30.674084731089398182, -9.332130526430227873, 15.697238121770843886,
          -31.139403219565177677, -9.3529243588444783866, 35.816841486394083752},
         {19.985053242002433821, 0, 0, 0, 0, -387.03730874935176555, -189.17813819516756883,
          527.80815920542364901, -11.573902539959630126, 6.881232694696300017,
          -1.0006050966910838403, 0.77771377980534432093, -2.7782057523535084066,
          -60.196695231264120758, 84.320405506677161018, 11.992291136182789328},
         {-25.693933462703749003, 0, 0, 0, 0, -154.18974869023643374, -231.52937917604549568,
          357.63911791061412378, 93.405324183624310004, -37.458323136451633157,
          104.09964950896230045, 29.840293426660503123, -43.533456590011143754,
          96.324553959188282948, -39.177261675615439165, -149.72683625798562581}}};
    auto w = detail::hermite<12, 16>(tableau.b, theta);
    const double rest = 1 - theta, bubble = theta * theta * rest * rest;
    for (std::size_t i = 0; i < 16; ++i)
      w[i] += bubble * (d[0][i] + theta * (d[1][i] + rest * (d[2][i] + theta * d[3][i])));
    return w;
  }
};

}  // namespace fokker::tableaus

namespace fokker::detail {

/// The coefficients of a pair by rows: those of the stages, b, and the error estimates. Row 0 is
/// empty.
template <class Pair>
struct PairRows {
  static constexpr std::size_t stages = Pair::tableau.b.size();
  static constexpr std::size_t b = stages, error = stages + 1, low = stages + 2;
  static constexpr std::size_t last_two = stages + 3;  // arguments of k_s less those of k_s-1

  static constexpr double coefficient(std::size_t row, std::size_t j) {
    if (row == error) return Pair::error[j];
    if constexpr (requires { Pair::error_low; })
      if (row == low) return Pair::error_low[j];
    if (row == last_two)
      return j == stages ? 0 : Pair::tableau.b[j] - Pair::tableau.a[stages - 1][j];
    return j == stages ? 0 : row == b ? Pair::tableau.b[j] : Pair::tableau.a[row][j];
  }

  /// The rows but for last_two one after the other, without the zeros, and the places of their
  /// numbers.
  static constexpr std::size_t rows = [] {
    if constexpr (requires { Pair::error_low; })
      return low + 1;
    else
      return error + 1;
  }();
  static constexpr std::size_t terms = [] {
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows * (stages + 1); ++i)
      count += coefficient(i / (stages + 1), i % (stages + 1)) != 0;
    return count;
  }();
  static constexpr std::size_t place(std::size_t row, std::size_t j) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < row * (stages + 1) + j; ++i)
      count += coefficient(i / (stages + 1), i % (stages + 1)) != 0;
    return count;
  }
  static constexpr auto flat = [] {
    std::array<double, terms> all{};
    for (std::size_t i = 0, n = 0; i < rows * (stages + 1); ++i)
      if (const double c = coefficient(i / (stages + 1), i % (stages + 1)); c != 0) all[n++] = c;
    return all;
  }();

  /// sum + w_j k(j) + w_j+1 k(j+1) + ... with the weights w_j = w.at<row, j>(), without the zeros
  /// of `row` and the newest slope last; sum and k(j) are arrays, then an expression, or numbers.
  template <std::size_t row, std::size_t j = 0, class Sum, class Weight, class K>
  static auto combine(const Sum& sum, const Weight& w, const K& k) {
    if constexpr (j > stages)
      return sum;
    else if constexpr (coefficient(row, j) == 0.0)
      return combine<row, j + 1>(sum, w, k);
    else
      return combine<row, j + 1>(sum + w.template at<row, j>() * k(j), w, k);
  }
};

}  // namespace fokker::detail
